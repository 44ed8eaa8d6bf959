#include "codes/code_choice.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t asked = 96;               // rows whose neighbours are looked at
constexpr std::size_t around = 50;              // the nearest of each: of these,
constexpr std::size_t wanted = 5;               // so many are the true neighbours, and among the
constexpr std::size_t leading = 10;             // first ones in the codes' order a large share should be
constexpr std::size_t most_measured = 1 << 20;  // rows, evenly spread where there are more
constexpr std::size_t together = 1024;          // rows measured in one go

using Near = std::pair<float, Row>;  // the distance of a row

/// Puts the nearest of `rows` among those that are nearest so far, in order.
void gather_nearest(const Plane& plane, Row row, std::span<const Row> rows, std::vector<Near>& nearest) {
  std::vector<float> distances(rows.size());
  ScorerSpace space;
  plane.from_row(row, space).measure(rows.data(), rows.size(), distances.data());
  const Near farthest = nearest.size() < around ? Near(std::numeric_limits<float>::infinity(), no_row) : nearest.back();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Near found(distances[i], rows[i]);
    if (rows[i] != row && found < farthest) nearest.push_back(found);
  }
  std::sort(nearest.begin(), nearest.end());
  nearest.resize(std::min(around, nearest.size()));
}

/// Every row is read once: rows may lie in a file.
std::vector<Neighborhood> neighborhoods(const Plane& plane, unsigned threads) {
  const std::size_t count = plane.rows.count, step = count / most_measured + 1;
  std::vector<Neighborhood> hoods(std::min(asked, count));
  for (std::size_t i = 0; i < hoods.size(); ++i) hoods[i].row = static_cast<Row>(i * count / hoods.size());
  std::vector<std::vector<Near>> nearest(hoods.size());
  std::vector<Row> rows;
  for (std::size_t first = 0; first < count; first += rows.size() * step) {
    rows.resize(std::min(together, (count - first + step - 1) / step));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<Row>(first + i * step);
    parallel_for(hoods.size(), threads,
                 [&](std::size_t i, unsigned) { gather_nearest(plane, hoods[i].row, rows, nearest[i]); });
    plane.has_read(rows);
  }
  for (std::size_t i = 0; i < hoods.size(); ++i)
    for (const Near& near : nearest[i]) hoods[i].near.push_back(near.second);
  return hoods;
}

/// How many of a row's true neighbours the codes put first; those as near as one of them count as one.
std::size_t kept(const Encoder& encoder, const Neighborhood& hood,
                 function_ref<void(const Neighborhood&, float*)> write_points) {
  const std::size_t dim = encoder.dim(), count = hood.near.size();
  std::vector<float> points((count + 1) * dim), distances(count);
  write_points(hood, points.data());
  std::vector<std::byte> codes(count * encoder.stride());
  encoder.encode(std::span(points).first(count * dim), codes.data());
  std::vector<Row> order(count);
  std::iota(order.begin(), order.end(), 0);
  ScorerSpace space;
  encoder.from_query(points.data() + count * dim, codes.data(), space).measure(order.data(), count, distances.data());
  std::stable_sort(order.begin(), order.end(), [&](Row a, Row b) { return distances[a] < distances[b]; });
  order.resize(std::min(leading, count));
  return static_cast<std::size_t>(std::count_if(order.begin(), order.end(), [](Row i) { return i < wanted; }));
}

}  // namespace

double share_in_front(const Encoder& encoder, std::span<const Neighborhood> hoods,
                      function_ref<void(const Neighborhood&, float*)> write_points, unsigned threads) {
  std::vector<std::size_t> held(hoods.size()), most(hoods.size());
  parallel_for(hoods.size(), threads, [&](std::size_t i, unsigned) {
    held[i] = kept(encoder, hoods[i], write_points);
    most[i] = std::min(wanted, hoods[i].near.size());
  });
  const auto sum = [](const std::vector<std::size_t>& counts) {
    return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
  };
  return sum(most) > 0 ? sum(held) / sum(most) : 1;
}

std::optional<CodeForm> choose_codes(std::span<const CodeWidth> widths, const Plane& plane,
                                     std::span<const float> sample, std::uint64_t seed, unsigned threads,
                                     const CodeQuality& demand) {
  constexpr std::size_t strides[] = {64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};
  const std::size_t dim = plane.point_dim();
  const std::vector<Neighborhood> hoods = neighborhoods(plane, threads);
  const auto write_points = [&](const Neighborhood& hood, float* points) {
    for (const Row row : hood.near) plane.write_point(row, points), points += dim;
    plane.write_point(hood.row, points);
  };
  std::optional<CodeForm> best;
  double most = 0;
  for (const std::size_t stride : strides) {
    bool is_whole = false;
    for (const CodeWidth width : widths) {
      const bool holds_all = Encoder::room(width, stride) >= dim;
      // In the shortest codes eight bits leave too few coordinates to be worth a try beside four.
      if (stride == strides[0] && width == CodeWidth::eight && widths.size() > 1 && !holds_all) continue;
      const Encoder encoder(sample, dim, {width, stride}, seed, threads);
      const double share = share_in_front(encoder, hoods, write_points, threads);
      if (share > most) most = share, best = {width, stride};
      is_whole = is_whole || (holds_all && width == widths.front());
    }
    if (most >= demand.enough || is_whole) break;
  }
  return most >= demand.bearable ? best : std::nullopt;
}

}  // namespace lookalike
