#include "codes/code_choice.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/table.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t asked = 128;    // rows of the sample that are searched for
constexpr std::size_t neighbors = 5;  // of each, of which
constexpr std::size_t leading = 10;   // so many in the codes' order
constexpr double enough = 0.97;       // hold so large a share

/// The rows of a sample in the order of their distances, the first `count`, without row `self`.
std::vector<Row> nearest(const std::vector<float>& distances, Row self, std::size_t count) {
  std::vector<Row> order(distances.size());
  std::iota(order.begin(), order.end(), 0);
  std::erase(order, self);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](Row a, Row b) {
    return distances[a] < distances[b] || (distances[a] == distances[b] && a < b);
  });
  order.resize(count);
  return order;
}

/// The share of true neighbours among the leading ones by codes.
double quality(const Encoder& encoder, std::span<const float> sample, std::size_t dim, unsigned threads) {
  const std::size_t count = sample.size() / dim, queries = std::min(asked, count);
  std::vector<std::byte> codes(count * encoder.stride());
  std::vector<float> copy(sample.begin(), sample.end());
  encoder.encode(copy, codes.data());
  std::vector<Row> all(count);
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::size_t> held(queries);
  parallel_for(queries, threads, [&](std::size_t q, unsigned) {
    const Row self = static_cast<Row>(q * count / queries);
    const float* const query = sample.data() + self * dim;
    std::vector<float> distances(count);
    kernels().squared_l2_f32.scan(query, reinterpret_cast<const std::byte*>(sample.data()), dim * sizeof(float), count,
                                  dim, distances.data());
    const std::vector<Row> truth = nearest(distances, self, neighbors);
    ScorerSpace space;
    encoder.from_query(query, codes.data(), space).measure(all.data(), count, distances.data());
    const std::vector<Row> found = nearest(distances, self, leading);
    for (const Row row : truth) held[q] += std::find(found.begin(), found.end(), row) != found.end();
  });
  const std::size_t total = std::accumulate(held.begin(), held.end(), std::size_t{0});
  return static_cast<double>(total) / static_cast<double>(queries * std::min(neighbors, count - 1));
}

}  // namespace

CodeForm choose_codes(std::span<const CodeWidth> widths, std::span<const float> sample, std::size_t dim,
                      std::uint64_t seed, unsigned threads) {
  constexpr std::size_t strides[] = {64, 128, 192, 256, 384, 512};
  CodeForm best = {widths.front(), strides[0]};
  for (const std::size_t stride : strides) {
    double reached = -1;
    bool is_whole = true;
    for (const CodeWidth width : widths) {
      // So short, eight bits leave too few coordinates to be worth a try beside four.
      if (stride == strides[0] && width == CodeWidth::eight && widths.size() > 1) continue;
      is_whole = is_whole && Encoder::room(width, stride) >= dim;
      const double share = quality(Encoder(sample, dim, width, stride, seed, threads), sample, dim, threads);
      if (share > reached) reached = share, best = {width, stride};
    }
    if (reached >= enough || is_whole) break;
  }
  return best;
}

}  // namespace lookalike
