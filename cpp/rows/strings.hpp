// Many strings in two arrays, as the file format stores them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/array.hpp"
#include "base/errors.hpp"
#include "rows/utf8.hpp"

namespace lookalike {

/// Concatenated UTF-8 strings; string i is the text from ends_[i - 1] to ends_[i].
class Strings {
 public:
  Strings() = default;
  /// Throws CorruptFile unless the ends ascend, the last one is the size of the text, and every string is UTF-8.
  Strings(Array<std::uint64_t> ends, Array<std::byte> text) : ends_(std::move(ends)), text_(std::move(text)) {
    std::uint64_t before = 0;
    for (const std::uint64_t end : ends_) {
      if (end < before) throw CorruptFile("string ids: the ends do not ascend");
      before = end;
    }
    if (before != text_.size()) throw CorruptFile("string ids: the last end is not the size of the text");
    for (std::size_t i = 0; i < size(); ++i)
      if (!is_utf8((*this)[i])) throw CorruptFile("string ids: id " + std::to_string(i) + " is not UTF-8");
  }

  std::size_t size() const noexcept { return ends_.size(); }
  std::size_t bytes() const noexcept { return ends_.size() * sizeof(std::uint64_t) + text_.size(); }
  std::string_view operator[](std::size_t i) const noexcept {
    const std::uint64_t begin = i == 0 ? 0 : ends_[i - 1];
    return {reinterpret_cast<const char*>(text_.data()) + begin, static_cast<std::size_t>(ends_[i] - begin)};
  }

  void push_back(std::string_view text) {
    text_.append(std::as_bytes(std::span<const char>(text)));
    ends_.push_back(text_.size());
  }

  Array<std::uint64_t>& ends() noexcept { return ends_; }
  Array<std::byte>& text() noexcept { return text_; }
  const Array<std::uint64_t>& ends() const noexcept { return ends_; }
  const Array<std::byte>& text() const noexcept { return text_; }

 private:
  Array<std::uint64_t> ends_;
  Array<std::byte> text_;
};

}  // namespace lookalike
