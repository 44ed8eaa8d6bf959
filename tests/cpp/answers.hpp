// Collects and compares the results of indexes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "index/core/answer.hpp"
#include "index/flat/flat.hpp"
#include "rows/values.hpp"

namespace lookalike::testing {

struct Found {
  std::size_t k;
  std::vector<std::int64_t> ids;
  std::vector<float> distances;
  friend bool operator==(const Found&, const Found&) = default;
};

template <class Search>
Found collect(std::size_t queries, std::size_t k, Search search) {
  Found found{k, std::vector<std::int64_t>(queries * k), std::vector<float>(queries * k)};
  Answer answer;
  answer.ids = found.ids;
  answer.distances = found.distances;
  search(answer);
  return found;
}

/// Searches an approximate index. `effort` is ef or nprobe.
template <class Index>
Found search(const Index& index, const VectorsView& queries, std::size_t k, std::size_t effort = 0,
             const Where& where = {}, unsigned threads = 1) {
  return collect(queries.count, k, [&](Answer& answer) { index.search(queries, k, effort, where, threads, answer); });
}

inline Found search(const Flat& index, const VectorsView& queries, std::size_t k, const Where& where = {}) {
  return collect(queries.count, k, [&](Answer& answer) { index.search(queries, k, where, 1, answer); });
}

/// Recall@k against `truth`. A hit as near as the k-th true neighbour counts as found.
inline double recall(const Found& found, const Found& truth) {
  std::size_t matches = 0;
  for (std::size_t first = 0; first < truth.ids.size(); first += truth.k)
    for (std::size_t i = first; i < first + truth.k; ++i) {
      const auto ids = truth.ids.begin() + static_cast<std::ptrdiff_t>(first);
      matches += found.distances[i] <= truth.distances[first + truth.k - 1] ||
                 std::find(ids, ids + static_cast<std::ptrdiff_t>(truth.k), found.ids[i]) !=
                     ids + static_cast<std::ptrdiff_t>(truth.k);
    }
  return static_cast<double>(matches) / static_cast<double>(truth.ids.size());
}

/// Whether the hits of every query are sorted by distance and distinct.
inline bool is_in_order(const Found& found) {
  for (std::size_t first = 0; first < found.ids.size(); first += found.k) {
    const std::span<const float> distances(found.distances.data() + first, found.k);
    if (!std::is_sorted(distances.begin(), distances.end())) return false;
    std::vector<std::int64_t> ids(found.ids.data() + first, found.ids.data() + first + found.k);
    std::erase(ids, no_id);
    std::sort(ids.begin(), ids.end());
    if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) return false;
  }
  return true;
}

inline std::vector<std::int64_t> id_range(std::int64_t first, std::size_t count) {
  std::vector<std::int64_t> ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

inline IdsView view_of(const std::vector<std::int64_t>& ids) { return {ids, nullptr}; }

/// Recall against an exact search over the vectors that the index returns.
template <class Index>
double recall_of(const Index& index, const VectorsView& queries, std::size_t k, std::size_t effort = 0) {
  const OwnedIds ids = index.records().ids();
  const std::vector<std::int64_t> stored_ids(ids.integers.begin(), ids.integers.end());
  const OwnedVectors vectors = index.records().get(view_of(stored_ids));
  Flat flat(0, index.records().metric(), Storage::automatic);
  const VectorsView view{vectors.bytes.data(), vectors.element, vectors.count, vectors.dim,
                         row_bytes(vectors.element, vectors.dim)};
  flat.add(view, view_of(stored_ids), 1);
  return recall(search(index, queries, k, effort), search(flat, queries, k));
}

template <class Index>
std::shared_ptr<std::vector<std::byte>> saved(const Index& index) {
  auto bytes = std::make_shared<std::vector<std::byte>>();
  index.save([&](const FileWriter& file) {
    file.write([&](std::span<const std::byte> piece) { bytes->insert(bytes->end(), piece.begin(), piece.end()); });
  });
  return bytes;
}

}  // namespace lookalike::testing
