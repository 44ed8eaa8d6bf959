#include "quant/code_choice.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t asked = 96;               // rows whose neighbours are looked at
constexpr std::size_t affected = 50;            // the nearest of each: of these,
constexpr std::size_t wanted = 5;               // so many are the true neighbours, and among the
constexpr std::size_t leading = 10;             // first ones in the codes' order a large share should be
constexpr std::size_t most_measured = 1 << 20;  // rows, evenly spread where there are more
constexpr std::size_t together = 1024;          // rows measured in one go
constexpr std::size_t most_compared = 4096;     // that codes to be compared are learned from

using Near = std::pair<float, Row>;  // the distance of a row

/// Puts the nearest of `rows` among those that are nearest so far, in order.
void gather_nearest(const MetricSpace& space, Row row, std::span<const Row> rows, std::vector<Near>& nearest) {
  std::vector<float> distances(rows.size());
  ScorerScratch scratch;
  space.from_row(row, scratch).measure(rows.data(), rows.size(), distances.data());
  const Near farthest =
      nearest.size() < affected ? Near(std::numeric_limits<float>::infinity(), no_row) : nearest.back();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Near found(distances[i], rows[i]);
    if (rows[i] != row && found < farthest) nearest.push_back(found);
  }
  std::sort(nearest.begin(), nearest.end());
  nearest.resize(std::min(affected, nearest.size()));
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
  ScorerScratch scratch;
  encoder.from_query(points.data() + count * dim, codes.data(), scratch).measure(order.data(), count, distances.data());
  std::stable_sort(order.begin(), order.end(), [&](Row a, Row b) { return distances[a] < distances[b]; });
  order.resize(std::min(leading, count));
  return static_cast<std::size_t>(std::count_if(order.begin(), order.end(), [](Row i) { return i < wanted; }));
}

}  // namespace

std::vector<Row> evenly(std::size_t rows, std::size_t count) {
  std::vector<Row> spread(std::min(rows, count));
  for (std::size_t i = 0; i < spread.size(); ++i) spread[i] = static_cast<Row>(i * rows / spread.size());
  return spread;
}

std::vector<float> points_of(const MetricSpace& space, std::span<const Row> rows, unsigned threads) {
  constexpr std::size_t points_together = 256;
  const std::size_t dim = space.point_dim();
  std::vector<float> points(rows.size() * dim);
  parallel_for((rows.size() + points_together - 1) / points_together, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * points_together, size = std::min(points_together, rows.size() - first);
    for (std::size_t i = first; i < first + size; ++i) space.write_point(rows[i], points.data() + i * dim);
    space.has_read(rows.subspan(first, size));
  });
  return points;
}

// Every row is read once: rows may lie in a file.
std::vector<Neighborhood> neighborhoods(const MetricSpace& space, std::span<const Row> apart, unsigned threads) {
  const std::size_t count = space.rows.count, step = count / most_measured + 1;
  std::vector<Row> others;
  for (std::size_t row = 0, next = 0; row < count; row += step) {
    while (next < apart.size() && apart[next] < row) ++next;
    if (next == apart.size() || apart[next] != row) others.push_back(static_cast<Row>(row));
  }
  std::vector<Neighborhood> hoods(std::min(asked, others.size()));
  for (std::size_t i = 0; i < hoods.size(); ++i) hoods[i].row = others[i * others.size() / hoods.size()];
  std::vector<std::vector<Near>> nearest(hoods.size());
  for (std::size_t first = 0; first < others.size(); first += together) {
    const auto rows = std::span<const Row>(others).subspan(first, std::min(together, others.size() - first));
    parallel_for(hoods.size(), threads,
                 [&](std::size_t i, unsigned) { gather_nearest(space, hoods[i].row, rows, nearest[i]); });
    space.has_read(rows);
  }
  for (std::size_t i = 0; i < hoods.size(); ++i)
    for (const Near& near : nearest[i]) hoods[i].near.push_back(near.second);
  return hoods;
}

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

std::optional<CodeForm> choose_codes(std::span<const CodeWidth> widths, const MetricSpace& space, std::uint64_t seed,
                                     unsigned threads, const CodeQuality& demand) {
  constexpr std::size_t strides[] = {64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096};
  const std::size_t dim = space.point_dim(), count = space.rows.count;
  const std::vector<Row> learned = evenly(count, std::clamp<std::size_t>(count / 2, 1, most_compared));
  const std::vector<Neighborhood> hoods = neighborhoods(space, learned, threads);
  const CenteredSample sample(points_of(space, learned, threads), dim, threads);
  PrincipalDirections directions(sample.rows, dim, seed, threads);
  const auto encoder_of = [&](const CodeForm& form) {
    const std::size_t kept = Encoder::kept(dim, form);
    return Encoder(sample.mean, kept < dim ? directions.first(kept) : std::span<const float>(), form, seed, threads);
  };
  std::optional<CodeForm> best;
  double most = 0;
  for (const std::size_t stride : strides) {
    bool is_whole = false;
    for (const CodeWidth width : widths) {
      const bool holds_all = Encoder::room(width, stride) >= dim;
      // In the shortest codes eight bits leave too few coordinates to be worth a try beside four.
      if (stride == strides[0] && width == CodeWidth::eight && widths.size() > 1 && !holds_all) continue;
      CodeForm form = {width, stride};
      form.products = space.metric == Metric::ip;
      const double share = share_in_front(encoder_of(form), hoods, writer_of(space), threads);
      if (share > most) most = share, best = form;
      is_whole = is_whole || (holds_all && width == widths.front());
    }
    if (most >= demand.enough || is_whole) break;
  }
  return most >= demand.bearable ? best : std::nullopt;
}

}  // namespace lookalike
