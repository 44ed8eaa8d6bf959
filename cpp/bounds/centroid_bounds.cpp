#include "bounds/centroid_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bounds/centroid_bounds_length.hpp"
#include "kernels/table.hpp"
#include "linalg/principal_directions.hpp"
#include "linalg/projection.hpp"

namespace lookalike {
namespace {

constexpr std::uint64_t seed = 0x6f75746c696e65;                   // the same rows are always outlined alike
constexpr double deviations = 3;                                   // beyond these is clipped
constexpr float smallest_square = 1e-24f, largest_square = 1e30f;  // between these no float over- or underflows

/// No more than the norm of W W' - I, whose eigenvalues no row sum of absolute values is below [Gershgorin 1931].
double skew_of(std::span<const float> rows, std::size_t dim) {
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

/// A value in steps, clipped and rounded; what rounding moved goes to `moved`, squared.
float to_code(float value, float& moved) {
  constexpr float magic = 12582912.0f;  // 1.5 * 2^23: what is added to it is rounded to whole numbers
  const float clipped = value > -127 ? (value < 127 ? value : 127.0f) : -127.0f;  // NaN too
  const float code = clipped + magic - magic;
  moved += (clipped - code) * (clipped - code);
  return code;
}

}  // namespace

std::unique_ptr<const CentroidBounds> CentroidBounds::learn(std::span<const float> rows, std::size_t dim,
                                                            std::span<const float> centroids, std::size_t rounds,
                                                            unsigned threads) {
  if (!may_pay(dim, centroids.size() / dim, rows.size() / dim * rounds)) return nullptr;
  const BoundsSample sample(rows, dim);
  if (!(sample.mean_square() > smallest_square && sample.mean_square() < largest_square)) return nullptr;
  std::vector<float> directions =
      principal_directions(sample.centered(), dim, std::min(longest_projection, dim), seed, threads);
  const std::size_t length = sample.best_length(directions, centroids, rounds, threads);
  if (length == 0) return nullptr;

  std::vector<float> leading(length * dim), transposed(length * dim);
  for (std::size_t i = 0; i < length; ++i)
    for (std::size_t d = 0; d < dim; ++d) transposed[d * length + i] = directions[i * dim + d];
  products(random_rotation(length, seed), transposed, length, threads, leading);
  orthonormalize(leading, dim);
  auto bounds = std::unique_ptr<CentroidBounds>(new CentroidBounds(std::move(leading), sample.center()));
  bounds->choose_step(sample.centered(), threads);
  return bounds;
}

CentroidBounds::CentroidBounds(std::vector<float> directions, std::vector<float> center)
    : projected_(directions.size() / center.size()),
      directions_(std::move(directions)),
      center_(std::move(center)),
      panels_(kernels().tile_f32, projected_, center_.size()),
      skew_(skew_of(directions_, center_.size())) {
  const VectorsView all = view_of(directions_, center_.size());
  for (std::size_t p = 0; p < panels_.panels(); ++p)
    panels_.pack(p, all.slice(panels_.first(p), panels_.size(p)), nullptr);
}

void CentroidBounds::choose_step(std::span<const float> centered, unsigned threads) {
  const std::size_t count = centered.size() / vector_dim();
  std::vector<float> projected(projected_ * count);
  products(directions_, centered, vector_dim(), threads, projected);
  double energy = 0, sum = 0;
  std::vector<double> rests = squares_of(centered, vector_dim());
  for (std::size_t i = 0; i < projected_; ++i)
    for (std::size_t r = 0; r < count; ++r) {
      const double square = static_cast<double>(projected[i * count + r]) * projected[i * count + r];
      energy += square;
      rests[r] -= square;
    }
  for (const double rest : rests) sum += std::sqrt(std::max(0.0, rest));
  middle_ = static_cast<float>(sum / static_cast<double>(count));
  step_ =
      static_cast<float>(std::max(std::sqrt(energy / static_cast<double>(projected.size())), 1e-20) * deviations / 127);
}

void CentroidBounds::encode(std::span<const float> rows, std::int8_t* codes, float* roundings) const {
  const std::size_t together = kernels().tile_f32.rows * vector_dim();
  for (std::size_t first = 0; first < rows.size(); first += together) {
    const std::size_t row = first / vector_dim();
    encode_panel(rows.subspan(first, std::min(together, rows.size() - first)), codes + row * length(), roundings + row);
  }
}

void CentroidBounds::encode_panel(std::span<const float> rows, std::int8_t* codes, float* roundings) const {
  const TileKernel& tile = kernels().tile_f32;
  constexpr std::size_t most_rows = QueryPanels::most_rows;
  const std::size_t dim = vector_dim(), count = rows.size() / dim;
  RowPanels panel(tile, count, dim);
  panel.pack(0, view_of(rows, dim), center_.data());
  float sums[most_rows], squares[most_rows], bias[most_rows] = {}, scale[most_rows], limits[16] = {};
  float keys[most_rows * QueryPanels::most_queries], moved[most_rows] = {}, projected[most_rows] = {};
  std::uint32_t masks[QueryPanels::most_queries];
  tile.row_sums(panel.panel(0), dim, sums, squares);
  std::fill_n(scale, most_rows, -1.0f);
  const float steps = 1 / step_;
  for (std::size_t p = 0; p < panels_.panels(); ++p) {
    tile.multiply(panel.panel(0), panels_.panel(p), dim, bias, scale, limits, keys, masks);
    for (std::size_t i = 0; i < panels_.size(p); ++i) {
      float code[most_rows];
      for (std::size_t r = 0; r < tile.rows; ++r) {
        const float along = keys[i * tile.rows + r];
        projected[r] += along * along;
        code[r] = to_code(along * steps, moved[r]);
      }
      for (std::size_t r = 0; r < count; ++r)
        codes[r * length() + panels_.first(p) + i] = static_cast<std::int8_t>(code[r]);
    }
  }
  // What float arithmetic may do: dim roundings in each coordinate and each square.
  const double unit = static_cast<double>(dim + projected_ + 16) * 0x1p-24;
  for (std::size_t r = 0; r < count; ++r) {
    const double square = squares[r], norm = std::sqrt(square) * 1.01;
    const double of_projection = (std::sqrt(static_cast<double>(projected_)) * unit + skew_) * norm;
    const double of_rest = unit * norm * norm + 2.1 * norm * of_projection;
    const double rest = std::max(0.0, square - static_cast<double>(projected[r]));
    const double roots = std::sqrt(rest) + std::sqrt(std::max(rest - of_rest, 0.0));
    const double of_length = roots > std::sqrt(of_rest) ? of_rest / roots : std::sqrt(of_rest);
    float length_moved = 0;
    const float code = to_code((static_cast<float>(std::sqrt(rest)) - middle_) * steps / 2, length_moved);
    for (std::size_t i = 0; i < lengths; ++i) codes[r * length() + projected_ + i] = static_cast<std::int8_t>(code);
    const double error = (of_projection + of_length) * static_cast<double>(steps);
    const double rounding =
        (std::sqrt(static_cast<double>(moved[r] + lengths * length_moved)) + error) * 1.0001 + 0.001;
    roundings[r] = rounding < 1e15 ? static_cast<float>(rounding) : std::numeric_limits<float>::infinity();
  }
}

float CentroidBounds::code_limit(double square, float roundings) const {
  const double distance = std::sqrt(square) / static_cast<double>(step_) + static_cast<double>(roundings);
  return static_cast<float>(distance * distance * (1 + 1e-6)) + 1;
}

}  // namespace lookalike
