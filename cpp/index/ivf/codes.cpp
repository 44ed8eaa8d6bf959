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

constexpr std::size_t asked = 192;       // lists in which a row's neighbours are looked at
constexpr std::size_t fewest_near = 14;  // neighbours that say something
constexpr std::size_t most_near = 50, most_measured = 256;
constexpr std::size_t tried[] = {64, 128, 192, 256, 384, 512};  // coordinates
/// Directions learned from fewer rows a coordinate explain these rows and no queries.
constexpr std::size_t fewest_rows_a_coordinate = 4;

std::vector<Neighborhood> neighborhoods_of(const LabelledRows& rows, unsigned threads) {
  const std::size_t dim = rows.space.point_dim(), lists = rows.centroids.size() / dim;
  std::vector<std::vector<Row>> members(lists);  // places among `rows`
  for (std::size_t i = 0; i < rows.labels.size(); ++i) members[rows.labels[i]].push_back(static_cast<Row>(i));
  std::erase_if(members, [](const std::vector<Row>& list) { return list.size() <= fewest_near; });

  std::vector<Neighborhood> hoods(std::min(asked, members.size()));
  parallel_for(hoods.size(), threads, [&](std::size_t h, unsigned) {
    std::vector<Row>& list = members[h * members.size() / hoods.size()];
    list.resize(std::min(list.size(), most_measured));
    std::vector<float> center(dim), other(dim);
    rows.write_residual(list.front(), center.data());
    std::vector<std::pair<double, Row>> near;
    for (const Row i : std::span(list).subspan(1)) {
      rows.write_residual(i, other.data());
      const std::byte* const bytes = reinterpret_cast<const std::byte*>(other.data());
      near.emplace_back(precise_distance(Metric::l2, center.data(), bytes, Element::f32, dim), i);
    }
    hoods[h].row = list.front();
    std::sort(near.begin(), near.end());
    near.resize(std::min(near.size(), most_near));
    for (Row& i : list) i = rows.rows[i];
    rows.space.has_read(list);
    for (const auto& [distance, i] : near) hoods[h].near.push_back(i);
  });
  return hoods;
}

/// What share of neighbours should stand in front: those that do not are found by measuring more rows, which costs the
/// more the longer rows are.
double enough_for(const VectorsView& rows) {
  constexpr double line = 64;
  return 1 - 0.12 / std::sqrt(std::max(1.0, static_cast<double>(rows.stride) / line));
}

CodeForm form_of(CodeWidth width, std::size_t dims) { return {width, Encoder::whole_stride(width, dims), dims}; }

}  // namespace

void LabelledRows::write_residual(std::size_t i, float* out) const {
  const std::size_t dim = space.point_dim();
  space.write_point(rows[i], out);
  for (std::size_t d = 0; d < dim; ++d) out[d] -= centroids[labels[i] * dim + d];
}

Encoder learn_list_codes(const LabelledRows& rows, std::vector<float> sample, std::optional<CodeWidth> width,
                         std::uint64_t seed, unsigned threads) {
  const std::size_t dim = rows.space.point_dim();
  const CenteredSample centered(std::move(sample), dim, threads);
  PrincipalDirections directions(centered.rows, dim, seed, threads);
  const bool are_few = rows.rows.size() < fewest_rows_a_coordinate * dim;
  const auto encoder_of = [&](CodeWidth bits, std::size_t dims) {
    const CodeForm form = form_of(bits, dims);
    const std::size_t kept = Encoder::kept(dim, form);
    return Encoder(centered.mean, kept < dim ? directions.first(kept) : std::span<const float>(), form, seed, threads);
  };
  // Distances by one bit need every coordinate there is.
  if (width == CodeWidth::one) return encoder_of(CodeWidth::one, dim);

  const std::vector<Neighborhood> hoods = neighborhoods_of(rows, threads);
  const auto write_residuals = [&](const Neighborhood& hood, float* out) {
    std::vector<Row> read;
    for (const Row i : hood.near) rows.write_residual(i, out), out += dim, read.push_back(rows.rows[i]);
    rows.write_residual(hood.row, out);
    rows.space.has_read(read);
  };
  // Most codes that do not suffice show it in a few neighbourhoods: at a share of .94 their deviation is .013.
  const std::span<const Neighborhood> few = std::span(hoods).first(hoods.size() / 3);
  constexpr double misleading = 0.03;
  const double enough = enough_for(rows.space.rows);
  const std::span<const std::size_t> lengths = are_few ? std::span(&dim, 1) : std::span(tried);
  const std::size_t most = std::min(dim, lengths.back());
  std::vector<CodeWidth> widths = {CodeWidth::two, CodeWidth::four};
  if (width) widths = {*width};
  for (const CodeWidth bits : widths)
    for (const std::size_t dims : lengths) {
      Encoder encoder = encoder_of(bits, std::min(dims, dim));
      if (hoods.empty()) break;
      if (share_in_front(encoder, few, write_residuals, threads) >= enough - misleading &&
          share_in_front(encoder, hoods, write_residuals, threads) >= enough)
        return encoder;
      if (dims >= most) break;
    }
  return encoder_of(width.value_or(CodeWidth::four), most);
}

}  // namespace lookalike
