#include "codes/code_choice.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t asked = 96;               // rows whose neighbours are looked at
constexpr std::size_t around = 50;              // the nearest of each: of these,
constexpr std::size_t wanted = 5;               // so many are the true neighbours, and among the
constexpr std::size_t leading = 10;             // first ones in the codes' order a large share should be
constexpr std::size_t most_measured = 1 << 20;  // rows, evenly spread where there are more

/// A row and those around it, nearest first.
struct Neighborhood {
  Row row;
  std::vector<Row> near;
};

Neighborhood neighborhood_of(const Plane& plane, Row row) {
  const std::size_t step = plane.rows.count / most_measured + 1;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < plane.rows.count; i += step)
    if (i != row) rows.push_back(static_cast<Row>(i));
  std::vector<float> distances(rows.size());
  ScorerSpace space;
  plane.from_row(row, space).measure(rows.data(), rows.size(), distances.data());
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  const std::size_t count = std::min(around, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      return distances[a] < distances[b] || (distances[a] == distances[b] && a < b);
                    });
  Neighborhood found{row, {}};
  for (std::size_t i = 0; i < count; ++i) found.near.push_back(rows[order[i]]);
  return found;
}

/// How many of a row's true neighbours the codes put first; those as near as one of them count as one.
std::size_t kept(const Encoder& encoder, const Plane& plane, const Neighborhood& hood) {
  const std::size_t dim = plane.point_dim(), count = hood.near.size();
  std::vector<float> points(count * dim), query(dim), distances(count);
  for (std::size_t i = 0; i < count; ++i) plane.write_point(hood.near[i], points.data() + i * dim);
  plane.write_point(hood.row, query.data());
  std::vector<std::byte> codes(count * encoder.stride());
  encoder.encode(points, codes.data());
  std::vector<Row> order(count);
  std::iota(order.begin(), order.end(), 0);
  ScorerSpace space;
  encoder.from_query(query.data(), codes.data(), space).measure(order.data(), count, distances.data());
  std::stable_sort(order.begin(), order.end(), [&](Row a, Row b) { return distances[a] < distances[b]; });
  order.resize(std::min(leading, count));
  return static_cast<std::size_t>(std::count_if(order.begin(), order.end(), [](Row i) { return i < wanted; }));
}

/// The share of true neighbours that codes keep in front.
double quality(const Encoder& encoder, const Plane& plane, std::span<const Neighborhood> hoods, unsigned threads) {
  std::vector<std::size_t> held(hoods.size()), most(hoods.size());
  parallel_for(hoods.size(), threads, [&](std::size_t i, unsigned) {
    held[i] = kept(encoder, plane, hoods[i]);
    most[i] = std::min(wanted, hoods[i].near.size());
  });
  const auto sum = [](const std::vector<std::size_t>& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  };
  return sum(most) > 0 ? sum(held) / sum(most) : 1;
}

}  // namespace

std::optional<CodeForm> choose_codes(std::span<const CodeWidth> widths, const Plane& plane,
                                     std::span<const float> sample, std::uint64_t seed, unsigned threads,
                                     const CodeQuality& demand) {
  constexpr std::size_t strides[] = {64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};
  const std::size_t dim = plane.point_dim();
  std::vector<Neighborhood> hoods(std::min(asked, plane.rows.count));
  parallel_for(hoods.size(), threads, [&](std::size_t i, unsigned) {
    hoods[i] = neighborhood_of(plane, static_cast<Row>(i * plane.rows.count / hoods.size()));
  });
  std::optional<CodeForm> best;
  double most = 0;
  for (const std::size_t stride : strides) {
    bool is_whole = false;
    for (const CodeWidth width : widths) {
      const bool holds_all = Encoder::room(width, stride) >= dim;
      // In the shortest codes eight bits leave too few coordinates to be worth a try beside four.
      if (stride == strides[0] && width == CodeWidth::eight && widths.size() > 1 && !holds_all) continue;
      const double share = quality(Encoder(sample, dim, width, stride, seed, threads), plane, hoods, threads);
      if (share > most) most = share, best = {width, stride};
      is_whole = is_whole || (holds_all && width == widths.front());
    }
    if (most >= demand.enough || is_whole) break;
  }
  return most >= demand.bearable ? best : std::nullopt;
}

}  // namespace lookalike
