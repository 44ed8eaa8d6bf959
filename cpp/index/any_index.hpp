// THE LIST of indexes, and how a file is loaded as one of them.
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

/// An index type has `kind`, its name in files, and `load`, which creates it from a file. It may have `defers_section`,
/// which returns whether `load` leaves a section of a mapped file unread.
template <class... Index>
struct IndexList {
  using Any = std::variant<std::unique_ptr<Index>...>;

  /// Throws Unsupported for an unknown kind, and CorruptFile.
  static Any load(const FileReader& file) {
    Any index;
    const bool known = ((file.kind() == Index::kind && (index = Index::load(file), true)) || ...);
    if (!known)
      throw Unsupported("the file holds '" + file.kind() +
                        "', which this version cannot read; a newer version of lookalike may");
    return index;
  }

  /// Whether the index of this kind reads the section on demand. For FileReader::open.
  static bool defers(std::string_view kind, std::string_view section) {
    const auto type_defers = [&]<class OneIndex>(const std::unique_ptr<OneIndex>*) {
      if constexpr (requires { OneIndex::defers_section(section); })
        return kind == OneIndex::kind && OneIndex::defers_section(section);
      return false;
    };
    return (type_defers(static_cast<const std::unique_ptr<Index>*>(nullptr)) || ...);
  }
};

using Indexes = IndexList<Flat, Hnsw, Ivf>;
using AnyIndex = Indexes::Any;

}  // namespace lookalike
