#include "bounds/centroid_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bounds/centroid_bounds_sample.hpp"
#include "kernels/table.hpp"
#include "linalg/principal_directions.hpp"
#include "linalg/projection.hpp"

namespace lookalike {
namespace {

constexpr std::uint64_t seed = 0x6f75746c696e65;                   // fixed, so that codes are reproducible
constexpr double deviations = 3;                                   // where to clip
constexpr float smallest_square = 1e-24f, largest_square = 1e30f;  // between these no float overflows or underflows

/// An upper bound of the norm of W W' - I: its largest absolute row sum [Gershgorin 1931].
double orthonormality_error_of(std::span<const float> rows, std::size_t dim) {
  const std::size_t count = rows.size() / dim;
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < count; ++j) {
      double dot[4] = {};
      for (std::size_t d = 0; d < dim; ++d) dot[d % 4] += static_cast<double>(rows[i * dim + d]) * rows[j * dim + d];
      sum += std::abs(dot[0] + dot[1] + dot[2] + dot[3] - (i == j ? 1 : 0));
    }
    largest = std::max(largest, sum);
  }
  return largest * (1 + 1e-9);
}

/// Clips and rounds `value` (in steps) to a signed byte; adds the squared rounding error to `square_error`.
float to_code(float value, float& square_error) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers
  const float clipped = value > -127 ? (value < 127 ? value : 127.0f) : -127.0f;  // NaN too
  const float code = clipped + magic - magic;
  square_error += (clipped - code) * (clipped - code);
  return code;
}

}  // namespace

std::unique_ptr<const CentroidBounds> CentroidBounds::train(std::span<const float> rows, std::size_t dim,
                                                            std::span<const float> centroids, std::size_t rounds,
                                                            unsigned threads) {
  if (!may_pay_off(dim, centroids.size() / dim, rows.size() / dim * rounds)) return nullptr;
  const CentroidBoundsSample sample(rows, dim);
  if (!(sample.mean_square() > smallest_square && sample.mean_square() < largest_square)) return nullptr;
  std::vector<float> directions =
      principal_directions(sample.centered(), dim, std::min(max_projected_dim, dim), seed, threads);
  const std::size_t length = sample.best_length(directions, centroids, rounds, threads);
  if (length == 0) return nullptr;

  std::vector<float> leading(length * dim), transposed(length * dim);
  for (std::size_t i = 0; i < length; ++i)
    for (std::size_t d = 0; d < dim; ++d) transposed[d * length + i] = directions[i * dim + d];
  inner_products(random_rotation(length, seed), transposed, length, threads, leading);
  orthonormalize(leading, dim);
  auto bounds = std::unique_ptr<CentroidBounds>(new CentroidBounds(std::move(leading), sample.center()));
  bounds->choose_step(sample.centered(), threads);
  return bounds;
}

CentroidBounds::CentroidBounds(std::vector<float> directions, std::vector<float> center)
    : projected_dim_(directions.size() / center.size()),
      directions_(std::move(directions)),
      center_(std::move(center)),
      panels_(kernels().tile_f32, projected_dim_, center_.size()),
      orthonormality_error_(orthonormality_error_of(directions_, center_.size())) {
  const VectorsView all = view_of(directions_, center_.size());
  for (std::size_t p = 0; p < panels_.panels(); ++p)
    panels_.pack(p, all.slice(panels_.first(p), panels_.size(p)), nullptr);
}

void CentroidBounds::choose_step(std::span<const float> centered, unsigned threads) {
  const std::size_t count = centered.size() / vector_dim();
  std::vector<float> projected(projected_dim_ * count);
  inner_products(directions_, centered, vector_dim(), threads, projected);
  double energy = 0, sum = 0;
  std::vector<double> residual_squares = squared_norms(centered, vector_dim());
  for (std::size_t i = 0; i < projected_dim_; ++i)
    for (std::size_t r = 0; r < count; ++r) {
      const double square = static_cast<double>(projected[i * count + r]) * projected[i * count + r];
      energy += square;
      residual_squares[r] -= square;
    }
  for (const double residual_square : residual_squares) sum += std::sqrt(std::max(0.0, residual_square));
  mean_residual_norm_ = static_cast<float>(sum / static_cast<double>(count));
  step_ =
      static_cast<float>(std::max(std::sqrt(energy / static_cast<double>(projected.size())), 1e-20) * deviations / 127);
}

void CentroidBounds::encode(std::span<const float> rows, std::int8_t* codes, float* rounding_errors) const {
  const std::size_t panel_values = kernels().tile_f32.rows * vector_dim();
  for (std::size_t first = 0; first < rows.size(); first += panel_values) {
    const std::size_t row = first / vector_dim();
    encode_panel(rows.subspan(first, std::min(panel_values, rows.size() - first)), codes + row * length(),
                 rounding_errors + row);
  }
}

void CentroidBounds::encode_panel(std::span<const float> rows, std::int8_t* codes, float* rounding_errors) const {
  const TileKernel& tile = kernels().tile_f32;
  constexpr std::size_t max_rows = QueryPanels::max_panel_rows;
  const std::size_t dim = vector_dim(), count = rows.size() / dim;
  RowPanels panel(tile, count, dim);
  panel.pack(0, view_of(rows, dim), center_.data());
  float sums[max_rows], squares[max_rows], bias[max_rows] = {}, scale[max_rows], limits[16] = {};
  float keys[max_rows * QueryPanels::max_panel_queries], square_error[max_rows] = {}, projected_squares[max_rows] = {};
  std::uint32_t masks[QueryPanels::max_panel_queries];
  tile.row_sums(panel.panel(0), dim, sums, squares);
  std::fill_n(scale, max_rows, -1.0f);
  const float inverse_step = 1 / step_;
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    tile.multiply(panel.panel(0), panels_.panel(p), dim, bias, scale, limits, keys, masks);
    for (std::size_t i = 0; i < panels_.size(p); ++i) {
      float code[max_rows];
      for (std::size_t r = 0; r < tile.rows; ++r) {
        const float along = keys[i * tile.rows + r];
        projected_squares[r] += along * along;
        code[r] = to_code(along * inverse_step, square_error[r]);
      }
      for (std::size_t r = 0; r < count; ++r)
        codes[r * length() + panels_.first(p) + i] = static_cast<std::int8_t>(code[r]);
    }
  }
  // Bounds of float errors: each coordinate and each squared norm is rounded `dim` times.
  const double epsilon = static_cast<double>(dim + projected_dim_ + 16) * 0x1p-24;
  for (std::size_t r = 0; r < count; ++r) {
    const double square = squares[r], norm = std::sqrt(square) * 1.01;
    const double projection_error =
        (std::sqrt(static_cast<double>(projected_dim_)) * epsilon + orthonormality_error_) * norm;
    const double residual_error = epsilon * norm * norm + 2.1 * norm * projection_error;
    const double residual_square = std::max(0.0, square - static_cast<double>(projected_squares[r]));
    const double root_sum = std::sqrt(residual_square) + std::sqrt(std::max(residual_square - residual_error, 0.0));
    const double residual_norm_error =
        root_sum > std::sqrt(residual_error) ? residual_error / root_sum : std::sqrt(residual_error);
    float residual_rounding = 0;
    const float code = to_code(
        (static_cast<float>(std::sqrt(residual_square)) - mean_residual_norm_) * inverse_step / 2, residual_rounding);
    for (std::size_t i = 0; i < residual_coordinates; ++i)
      codes[r * length() + projected_dim_ + i] = static_cast<std::int8_t>(code);
    const double error = (projection_error + residual_norm_error) * static_cast<double>(inverse_step);
    const double rounding_error =
        (std::sqrt(static_cast<double>(square_error[r] + residual_coordinates * residual_rounding)) + error) * 1.0001 +
        0.001;
    rounding_errors[r] =
        rounding_error < 1e15 ? static_cast<float>(rounding_error) : std::numeric_limits<float>::infinity();
  }
}

float CentroidBounds::code_limit(double square, float rounding_errors) const {
  const double distance = std::sqrt(square) / static_cast<double>(step_) + static_cast<double>(rounding_errors);
  return static_cast<float>(distance * distance * (1 + 1e-6)) + 1;
}

}  // namespace lookalike
