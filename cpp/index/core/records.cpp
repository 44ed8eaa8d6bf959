#include "index/core/records.hpp"

#include <algorithm>

namespace lookalike {

std::optional<Element> Records::element() const {
  const ReadLock rows = read();
  if (rows->count() == 0) return std::nullopt;
  return rows->store().element();
}

OwnedIds Records::ids() const {
  const ReadLock rows = read();
  const IdMap& map = rows->ids();
  OwnedIds ids;
  ids.kind = map.kind();
  for (const Row row : map.live_rows()) {
    if (ids.kind == IdKind::string) {
      ids.strings.push_back(map.string(row));
    } else {
      ids.integers.push_back(map.integer(row));
    }
  }
  return ids;
}

OwnedVectors Records::get(const IdsView& ids) const {
  const ReadLock rows = read();
  const std::vector<Row> found = rows->find_or_throw(ids);
  rows->require_vectors("reading vectors");
  const VectorStore& store = rows->store();
  const std::size_t bytes = row_bytes(store.element(), rows->dim());
  OwnedVectors vectors{store.element(), found.size(), rows->dim(), {}};
  vectors.bytes.resize_for_overwrite(found.size() * bytes);
  std::byte* out = vectors.bytes.mutable_data();
  for (std::size_t i = 0; i < found.size(); ++i) std::copy_n(store.row(found[i]), bytes, out + i * bytes);
  return vectors;
}

bool Records::contains(const IdsView& id) const {
  const ReadLock rows = read();
  return (id.strings ? rows->ids().find((*id.strings)[0]) : rows->ids().find(id.integers[0])) != no_row;
}

Change Records::Writer::addition(const VectorsView& vectors, unsigned threads) {
  return Change::addition(records_.rows_, vectors, threads);
}

Change Records::Writer::addition(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  return Change::addition(records_.rows_, vectors, ids, threads);
}

Change Records::Writer::upsertion(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  return Change::upsertion(records_.rows_, vectors, ids, threads);
}

}  // namespace lookalike
