#include "index/ivf/codes.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "kernels/precise.hpp"
#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"
#include "quant/code_choice.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Codes are evaluated on one row and its neighbours in each of so many lists.
constexpr std::size_t max_neighborhoods = 192;
constexpr std::size_t min_neighbors = 14, max_neighbors = 50, max_candidates = 256;
constexpr std::size_t tried_dims[] = {64, 128, 192, 256, 384, 512};
/// Principal directions learned from fewer rows overfit, so all dimensions are kept.
constexpr std::size_t min_rows_per_dim = 4;

std::vector<Neighborhood> neighborhoods_of(const LabelledRows& rows, unsigned threads) {
  const std::size_t dim = rows.space.point_dim(), lists = rows.centroids.size() / dim;
  std::vector<std::vector<Row>> members(lists);  // indices into `rows`
  for (std::size_t i = 0; i < rows.labels.size(); ++i) members[rows.labels[i]].push_back(static_cast<Row>(i));
  std::erase_if(members, [](const std::vector<Row>& list) { return list.size() <= min_neighbors; });

  std::vector<Neighborhood> neighborhoods(std::min(max_neighborhoods, members.size()));
  parallel_for(neighborhoods.size(), threads, [&](std::size_t n, unsigned) {
    std::vector<Row>& list = members[n * members.size() / neighborhoods.size()];
    list.resize(std::min(list.size(), max_candidates));
    std::vector<float> row(dim), candidate(dim);
    rows.write_residual(list.front(), row.data());
    std::vector<std::pair<double, Row>> neighbors;
    for (const Row i : std::span(list).subspan(1)) {
      rows.write_residual(i, candidate.data());
      const std::byte* const candidate_bytes = reinterpret_cast<const std::byte*>(candidate.data());
      neighbors.emplace_back(precise_distance(Metric::l2, row.data(), candidate_bytes, Element::f32, dim), i);
    }
    neighborhoods[n].row = list.front();
    std::sort(neighbors.begin(), neighbors.end());
    neighbors.resize(std::min(neighbors.size(), max_neighbors));
    for (Row& i : list) i = rows.rows[i];
    rows.space.count_read(list);
    for (const auto& [distance, i] : neighbors) neighborhoods[n].neighbors.push_back(i);
  });
  return neighborhoods;
}

/// The recall that codes must reach. Lower recall requires more reranking, which costs more for longer rows.
double required_neighbor_recall(const VectorsView& rows) {
  constexpr double cache_line = 64;
  return 1 - 0.12 / std::sqrt(std::max(1.0, static_cast<double>(rows.stride) / cache_line));
}

CodeFormat format_of(CodeWidth width, std::size_t dims) { return {width, Encoder::full_dim_stride(width, dims), dims}; }

}  // namespace

void LabelledRows::write_residual(std::size_t i, float* out) const {
  const std::size_t dim = space.point_dim();
  space.write_point(rows[i], out);
  for (std::size_t d = 0; d < dim; ++d) out[d] -= centroids[labels[i] * dim + d];
}

Encoder train_list_codes(const LabelledRows& rows, std::vector<float> sample, std::optional<CodeWidth> width,
                         std::uint64_t seed, unsigned threads) {
  const std::size_t dim = rows.space.point_dim();
  const CenteredSample centered(std::move(sample), dim, threads);
  PrincipalDirections directions(centered.rows, dim, seed, threads);
  const bool has_few_rows = rows.rows.size() < min_rows_per_dim * dim;
  const auto encoder_of = [&](CodeWidth bits, std::size_t dims) {
    const CodeFormat format = format_of(bits, dims);
    const std::size_t kept = Encoder::kept_dims(dim, format);
    return Encoder(centered.mean, kept < dim ? directions.leading(kept) : std::span<const float>(), format, seed,
                   threads);
  };
  // 1-bit codes need all coordinates to estimate distances.
  if (width == CodeWidth::one) return encoder_of(CodeWidth::one, dim);

  const std::vector<Neighborhood> neighborhoods = neighborhoods_of(rows, threads);
  const auto write_residuals = [&](const Neighborhood& neighborhood, float* out) {
    std::vector<Row> read_rows;
    for (const Row i : neighborhood.neighbors)
      rows.write_residual(i, out), out += dim, read_rows.push_back(rows.rows[i]);
    rows.write_residual(neighborhood.row, out);
    rows.space.count_read(read_rows);
  };
  // A third of the neighbourhoods rejects most insufficient codes: at a recall of .94 its standard deviation is .013.
  const std::span<const Neighborhood> screening_set = std::span(neighborhoods).first(neighborhoods.size() / 3);
  constexpr double screening_margin = 0.03;
  const double required = required_neighbor_recall(rows.space.rows);
  const std::span<const std::size_t> dims_to_try = has_few_rows ? std::span(&dim, 1) : std::span(tried_dims);
  const std::size_t max_dims = std::min(dim, dims_to_try.back());
  std::vector<CodeWidth> widths = {CodeWidth::two, CodeWidth::four};
  if (width) widths = {*width};
  for (const CodeWidth bits : widths)
    for (const std::size_t dims : dims_to_try) {
      Encoder encoder = encoder_of(bits, std::min(dims, dim));
      if (neighborhoods.empty()) break;
      if (neighbor_recall(encoder, screening_set, write_residuals, threads) >= required - screening_margin &&
          neighbor_recall(encoder, neighborhoods, write_residuals, threads) >= required)
        return encoder;
      if (dims >= max_dims) break;
    }
  return encoder_of(width.value_or(CodeWidth::four), max_dims);
}

}  // namespace lookalike
