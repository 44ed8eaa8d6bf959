// Appends to an array that other threads read at the same time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/array.hpp"

namespace lookalike {

/// Space for more elements behind those of an array: in its spare capacity, or in a larger copy. Readers of the present
/// elements are not affected until `commit`, which cannot fail. A mapped array is always copied.
template <class T>
class Extension {
 public:
  /// Throws std::bad_alloc and leaves the array as it was.
  Extension(Array<T>& array, std::size_t extra) : array_(&array), size_(array.size() + extra) {
    if (!array.is_mapped() && size_ * sizeof(T) <= array.bytes_owned()) return;
    is_copied_ = true;
    copy_.resize_for_overwrite(array.empty() ? size_ : std::max(size_, array.size() + array.size() / 2));
    if (!array.empty()) std::memcpy(copy_.mutable_data(), array.data(), array.size() * sizeof(T));
    copy_.resize_for_overwrite(size_);
  }

  /// Replaces the whole array by `replacement`.
  Extension(Array<T>& array, Array<T> replacement)
      : array_(&array), size_(replacement.size()), is_copied_(true), copy_(std::move(replacement)) {}

  /// The elements of the extended array, the present ones first. Write only behind those unless the array is replaced.
  T* data() { return is_copied_ ? copy_.mutable_data() : array_->mutable_data(); }

  void commit() noexcept {
    if (is_copied_) {
      array_->swap(copy_);
    } else {
      array_->resize_for_overwrite(size_);
    }
  }

 private:
  Array<T>* array_;
  std::size_t size_;
  bool is_copied_ = false;
  Array<T> copy_;
};

}  // namespace lookalike
