// How an array grows while others read it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/array.hpp"

namespace lookalike {

/// Room for more elements behind those an array has: in its own spare capacity, or in a larger copy. Whoever reads the
/// present elements is not disturbed until `commit`, which cannot fail. A mapped array is always copied.
template <class T>
class Extension {
 public:
  /// Throws std::bad_alloc and leaves the array as it was.
  Extension(Array<T>& array, std::size_t extra) : array_(&array), size_(array.size() + extra) {
    if (!array.is_mapped() && size_ * sizeof(T) <= array.bytes_owned()) return;
    moved_ = true;
    fresh_.resize_for_overwrite(array.empty() ? size_ : std::max(size_, array.size() + array.size() / 2));
    if (!array.empty()) std::memcpy(fresh_.mutable_data(), array.data(), array.size() * sizeof(T));
    fresh_.resize_for_overwrite(size_);
  }

  /// `replacement` takes the array's place.
  Extension(Array<T>& array, Array<T> replacement)
      : array_(&array), size_(replacement.size()), moved_(true), fresh_(std::move(replacement)) {}

  /// The elements of the array to come, the present ones first. Write only behind those when the array is not moved.
  T* data() { return moved_ ? fresh_.mutable_data() : array_->mutable_data(); }

  void commit() noexcept {
    if (moved_) {
      array_->swap(fresh_);
    } else {
      array_->resize_for_overwrite(size_);
    }
  }

 private:
  Array<T>* array_;
  std::size_t size_;
  bool moved_ = false;
  Array<T> fresh_;
};

}  // namespace lookalike
