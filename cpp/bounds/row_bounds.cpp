#include "bounds/row_bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "bounds/row_bounds_sample.hpp"
#include "kernels/panels.hpp"
#include "kernels/table.hpp"
#include "linalg/principal_directions.hpp"
#include "linalg/projection.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::uint64_t row_bounds_seed = 0x736b65746368;  // fixed, so that codes are reproducible
constexpr double clip_deviations = 3;                      // where to clip; prunes most on the three data sets tried

/// An upper bound of the spectral norm of `rows`: the root of the largest absolute row sum of the Gram matrix, which is
/// at least its largest eigenvalue [Gershgorin 1931].
double max_stretch_of(const std::vector<float>& rows, std::size_t dim) {
  const std::size_t count = rows.size() / dim;
  std::vector<double> row_sums(count, 0.0);
  parallel_for(count, 0, [&](std::size_t i, unsigned) {
    for (std::size_t j = 0; j < count; ++j) {
      double dot[4] = {};
      for (std::size_t d = 0; d < dim; ++d) dot[d % 4] += static_cast<double>(rows[i * dim + d]) * rows[j * dim + d];
      row_sums[i] += std::abs(dot[0] + dot[1] + dot[2] + dot[3]);
    }
  });
  return std::sqrt(*std::max_element(row_sums.begin(), row_sums.end())) * (1 + 1e-9);
}

/// Clips and rounds `value` (in steps) to a signed byte; adds the squared rounding error to `square_error`.
std::int8_t to_code(double value, double& square_error) {
  const double clipped = std::clamp(value, -127.0, 127.0);
  const double code = std::nearbyint(clipped);
  square_error += (clipped - code) * (clipped - code);
  return static_cast<std::int8_t>(code);
}

/// A bound of the float error of projecting a vector of this norm: each coordinate is rounded vector_dim times.
double projection_error(std::size_t vector_dim, std::size_t dim, double norm) {
  return std::sqrt(static_cast<double>(dim)) * static_cast<double>(vector_dim + 16) * 0x1p-24 * norm;
}

}  // namespace

std::shared_ptr<const RowBounds> RowBounds::build(const VectorsView& rows, const float* scales, unsigned threads) {
  // The bounds hold only if no product overflows or underflows.
  constexpr float smallest = 1e-30f, largest = 1e30f;
  for (std::size_t i = 0; scales && i < rows.count; ++i)
    if (scales[i] != 0 && !(scales[i] > smallest && scales[i] < largest)) return nullptr;
  const RowBoundsSample sample(rows, scales);
  const std::size_t max_dim = std::min<std::size_t>(256, rows.dim / 2 / 16 * 16);
  if (max_dim == 0 || sample.count() < 1024) return nullptr;
  std::vector<float> directions = principal_directions(sample.centered(), rows.dim, max_dim, row_bounds_seed, threads);
  const std::size_t dim = sample.best_length(directions, rows, threads);
  if (dim == 0) return nullptr;

  std::vector<float> leading(dim * rows.dim), transposed(dim * rows.dim);
  for (std::size_t i = 0; i < dim; ++i)
    for (std::size_t d = 0; d < rows.dim; ++d) transposed[d * dim + i] = directions[i * rows.dim + d];
  inner_products(random_rotation(dim, row_bounds_seed), transposed, dim, threads, leading);
  orthonormalize(leading, rows.dim);

  auto bounds = std::shared_ptr<RowBounds>(new RowBounds(std::move(leading), sample.center(), rows.dim));
  bounds->step_ = std::max(sample.deviation(bounds->directions_, threads), 1e-30) * clip_deviations / 127;
  bounds->encode_rows(rows, scales, threads);
  return bounds;
}

RowBounds::RowBounds(std::vector<float> directions, std::vector<float> center, std::size_t vector_dim)
    : directions_(std::move(directions)),
      center_(std::move(center)),
      vector_dim_(vector_dim),
      dim_(directions_.size() / vector_dim),
      max_stretch_(max_stretch_of(directions_, vector_dim)) {
  for (std::size_t i = 0; i < dim_; ++i) {
    double offset = 0;
    for (std::size_t d = 0; d < vector_dim; ++d)
      offset += static_cast<double>(directions_[i * vector_dim + d]) * center_[d];
    offsets_.push_back(static_cast<float>(offset));
  }
}

void RowBounds::encode_rows(const VectorsView& rows, const float* scales, unsigned threads) {
  // Unscaled rows are centred before projecting, which loses no precision. For scaled rows the center's projection is
  // subtracted afterwards.
  const float* const center = scales ? nullptr : center_.data();
  const TileKernel& tile = kernels().tile_f32;
  QueryPanels directions(tile, dim_, vector_dim_);
  const VectorsView leading{reinterpret_cast<const std::byte*>(directions_.data()), Element::f32, dim_, vector_dim_,
                            vector_dim_ * sizeof(float)};
  for (std::size_t p = 0; p < directions.panels(); ++p)
    directions.pack(p, leading.slice(directions.first(p), directions.size(p)), nullptr);

  count_ = rows.count;
  codes_.resize_for_overwrite(count_ * dim_);
  auto* const codes = reinterpret_cast<std::int8_t*>(codes_.mutable_data());
  const std::size_t tasks = (count_ + tile.rows - 1) / tile.rows;
  std::vector<std::array<double, 2>> largest(tasks);  // squared rounding error, squared norm
  parallel_for(tasks, threads, [&](std::size_t task, unsigned) {
    const std::size_t begin = task * tile.rows, size = std::min(tile.rows, count_ - begin);
    const std::byte* vectors[32];
    for (std::size_t i = 0; i < size; ++i) vectors[i] = rows.row(begin + i);
    Array<std::byte> panel;
    panel.resize_for_overwrite(tile.row_panel_bytes(vector_dim_));
    tile.pack_rows(vectors, rows.element, size, vector_dim_, center, panel.mutable_data());
    float sums[32], squares[32], bias[32] = {}, scale[32], limits[16] = {}, keys[32 * 16];
    std::uint32_t masks[16];
    tile.row_sums(panel.data(), vector_dim_, sums, squares);
    for (std::size_t r = 0; r < tile.rows; ++r) scale[r] = scales && r < size ? -scales[begin + r] : -1;
    double square_error[32] = {};
    for (std::size_t p = 0; p < directions.panels(); ++p) {
      tile.multiply(panel.data(), directions.panel(p), vector_dim_, bias, scale, limits, keys, masks);
      const std::size_t last = std::min(dim_, (p + 1) * tile.queries);
      for (std::size_t i = p * tile.queries; i < last; ++i) {
        const float* projected = keys + (i - p * tile.queries) * tile.rows;
        const double offset = scales ? offsets_[i] : 0;
        for (std::size_t r = 0; r < size; ++r)
          codes[(begin + r) * dim_ + i] = to_code((projected[r] - offset) / step_, square_error[r]);
      }
    }
    for (std::size_t r = 0; r < size; ++r) {
      const double square = scales ? 1.0 : static_cast<double>(squares[r]);
      largest[task] = {std::max(largest[task][0], square_error[r]), std::max(largest[task][1], square)};
    }
  });
  double square_error = 0, square = 0;
  for (const auto& [task_error, task_square] : largest) {
    square_error = std::max(square_error, task_error);
    square = std::max(square, task_square);
  }
  double center_square = 0;
  for (const float c : center_) center_square += static_cast<double>(c) * c;
  uncentered_norm_ = scales ? std::sqrt(center_square) : 0;
  const double largest_norm = std::sqrt(square) * 1.01 + uncentered_norm_;
  max_rounding_error_ =
      static_cast<float>(std::sqrt(square_error) + projection_error(vector_dim_, dim_, largest_norm) / step_) * 1.0001f;
}

void RowBounds::encode(std::span<float> queries, std::span<const double> scales, unsigned threads, std::int8_t* codes,
                       float* rounding_errors) const {
  const std::size_t count = scales.size();
  parallel_for(count, threads, [&](std::size_t i, unsigned) {
    double square = 0;
    for (std::size_t d = 0; d < vector_dim_; ++d) {
      float& x = queries[i * vector_dim_ + d];
      x = static_cast<float>(x * scales[i]) - center_[d];
      square += static_cast<double>(x) * x;
    }
    rounding_errors[i] = static_cast<float>(std::sqrt(square));  // the norm, replaced below
  });
  std::vector<float> projected(count * dim_);
  if (count < 4)
    for (std::size_t i = 0; i < count; ++i) {
      kernels().inner_product_f32.scan(queries.data() + i * vector_dim_,
                                       reinterpret_cast<const std::byte*>(directions_.data()),
                                       vector_dim_ * sizeof(float), dim_, vector_dim_, projected.data() + i * dim_);
      for (std::size_t d = 0; d < dim_; ++d) projected[i * dim_ + d] *= -1;
    }
  else
    inner_products(queries, directions_, vector_dim_, threads, projected);
  parallel_for(count, threads, [&](std::size_t i, unsigned) {
    double square_error = 0;
    for (std::size_t d = 0; d < dim_; ++d) codes[i * dim_ + d] = to_code(projected[i * dim_ + d] / step_, square_error);
    const double error = projection_error(vector_dim_, dim_, rounding_errors[i] * 1.001 + uncentered_norm_) / step_;
    rounding_errors[i] = static_cast<float>(std::sqrt(square_error) + error) * 1.0001f;
  });
}

float RowBounds::code_limit(double square, float query_rounding_error) const {
  const double distance =
      std::sqrt(std::max(square, 0.0)) * max_stretch_ / step_ + max_rounding_error_ + query_rounding_error;
  return static_cast<float>(distance * distance * (1 + 1e-6)) + 1;
}

}  // namespace lookalike
