// THE LIST of indexes, and how a file becomes one of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/errors.hpp"
#include "index/flat/flat.hpp"
#include "index/hnsw/hnsw.hpp"
#include "index/ivf/ivf.hpp"
#include "storage/file.hpp"

namespace lookalike {

/// An index has `kind`, its name in files, and `load`, which makes one of a file. It may have `reads_as_needed`, which
/// tells what `load` leaves unread in a mapped one.
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

  /// See FileReader::Defers.
  static bool defers(std::string_view kind, std::string_view section) {
    const auto defers_of = [&]<class One>(const std::unique_ptr<One>*) {
      if constexpr (requires { One::reads_as_needed(section); })
        return kind == One::kind && One::reads_as_needed(section);
      return false;
    };
    return (defers_of(static_cast<const std::unique_ptr<Index>*>(nullptr)) || ...);
  }
};

using Indexes = IndexList<Flat, Hnsw, Ivf>;
using AnyIndex = Indexes::Any;

}  // namespace lookalike
