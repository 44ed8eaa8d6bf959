// THE LIST of indexes, and how a file becomes one of them.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "base/errors.hpp"
#include "indexes/flat.hpp"
#include "indexes/hnsw.hpp"
#include "indexes/ivf.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// An index has `kind`, its name in files, and `load`, which makes one of a file.
template <class... Index>
struct IndexList {
  using Any = std::variant<std::unique_ptr<Index>...>;

  /// Throws Unsupported for a kind this version does not know, and CorruptFile.
  static Any load(const FileReader& file) {
    Any index;
    const bool known = ((file.kind() == Index::kind && (index = Index::load(file), true)) || ...);
    if (!known) throw Unsupported("the file holds '" + file.kind() + "', which this version cannot read");
    return index;
  }
};

using Indexes = IndexList<Flat, Hnsw, Ivf>;
using AnyIndex = Indexes::Any;

}  // namespace lookalike
