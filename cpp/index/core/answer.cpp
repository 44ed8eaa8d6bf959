#include "index/core/answer.hpp"

#include <limits>

namespace lookalike {
namespace {

/// The integer id of a row, or the position of its string id, which it appends to `names`.
std::int64_t id_of(Row row, const IdMap& ids, Strings& names) {
  if (ids.kind() == IdKind::integer) return ids.integer(row);
  names.push_back(ids.string(row));
  return static_cast<std::int64_t>(names.size() - 1);
}

}  // namespace

void write_answer(std::span<const Neighbor> found, std::size_t found_k, std::size_t k, const IdMap& ids,
                  Answer& answer) {
  answer.kind = ids.kind();
  for (std::size_t i = 0; i < answer.ids.size(); ++i) {
    const std::size_t query = i / k, rank = i % k;
    const Neighbor neighbor = rank < found_k ? found[query * found_k + rank] : Neighbor{};
    const bool padding = neighbor.row == no_row;
    answer.ids[i] = padding ? no_id : id_of(neighbor.row, ids, answer.names);
    answer.distances[i] = padding ? std::numeric_limits<float>::infinity() : neighbor.distance;
  }
}

void append(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids, RangeAnswer& answer) {
  if (ids.kind() != IdKind::none) answer.kind = ids.kind();
  if (answer.offsets.empty()) answer.offsets.push_back(0);
  std::size_t total = answer.ids.size();
  for (const auto& neighbors : found) total += neighbors.size();
  std::size_t query = answer.offsets.size(), at = answer.ids.size();
  answer.offsets.resize_for_overwrite(query + found.size());
  answer.ids.resize_for_overwrite(total);
  answer.distances.resize_for_overwrite(total);
  std::int64_t* const id = answer.ids.mutable_data();
  float* const distance = answer.distances.mutable_data();
  for (const auto& neighbors : found) {
    for (const Neighbor& neighbor : neighbors) {
      id[at] = id_of(neighbor.row, ids, answer.names);
      distance[at++] = neighbor.distance;
    }
    answer.offsets.mutable_data()[query++] = static_cast<std::int64_t>(at);
  }
}

RangeAnswer range_answer(const std::vector<std::vector<Neighbor>>& found, const IdMap& ids) {
  RangeAnswer answer;
  append(found, ids, answer);
  return answer;
}

}  // namespace lookalike
