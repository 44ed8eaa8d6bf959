// A contiguous array that owns its elements or borrows them from a mapped file; the reader cannot tell which.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "base/memory.hpp"

namespace lookalike {

/// `T` is a plain value: elements are moved with memcpy and left uninitialised by `resize_for_overwrite`.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  explicit Array(std::span<const T> values) { append(values); }

  /// Borrows `values`, which live as long as `keeper` does. Mutation copies them first.
  static Array mapped(std::span<const T> values, std::shared_ptr<const void> keeper) {
    Array array;
    array.data_ = const_cast<T*>(values.data());
    array.size_ = values.size();
    array.keeper_ = std::move(keeper);
    return array;
  }

  /// Some of the elements: borrowed too where these are borrowed, else a copy.
  Array part(std::size_t first, std::size_t count) const {
    return keeper_ ? mapped({data_ + first, count}, keeper_) : Array(span().subspan(first, count));
  }

  Array(const Array& other) { append(other.span()); }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (!keeper_) release(data_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool is_mapped() const noexcept { return keeper_ != nullptr; }
  /// Bytes this array holds on the heap: none when mapped.
  std::size_t bytes_owned() const noexcept { return keeper_ ? 0 : capacity_ * sizeof(T); }

  const T* data() const noexcept { return data_; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  std::span<const T> span() const noexcept { return {data_, size_}; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }

  /// Writable elements; a mapped array becomes an owned copy first.
  T* mutable_data() {
    if (keeper_) reallocate(size_);
    return data_;
  }

  /// Grows geometrically. New elements are uninitialised. Throws std::bad_alloc and leaves the array as it was.
  void resize_for_overwrite(std::size_t size) {
    if (keeper_ || size > capacity_) reallocate(size > capacity_ ? std::max(size, size_ + size_ / 2) : size);
    size_ = size;
  }

  void resize(std::size_t size, T value = T{}) {
    const std::size_t before = size_;
    resize_for_overwrite(size);
    for (std::size_t i = before; i < size; ++i) data_[i] = value;
  }

  /// `values` must not lie in this array.
  void append(std::span<const T> values) {
    const std::size_t before = size_;
    resize_for_overwrite(before + values.size());
    if (!values.empty()) std::memcpy(data_ + before, values.data(), values.size_bytes());
  }

  void push_back(T value) { append({&value, 1}); }

  /// Gives unused capacity back.
  void shrink() {
    if (!keeper_ && capacity_ > size_) reallocate(size_);
  }

  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(keeper_, other.keeper_);
  }

 private:
  void reallocate(std::size_t capacity) {
    if (capacity > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    T* fresh = capacity ? static_cast<T*>(allocate(capacity * sizeof(T))) : nullptr;
    size_ = std::min(size_, capacity);
    if (size_) std::memcpy(fresh, data_, size_ * sizeof(T));
    if (!keeper_) release(data_);
    keeper_.reset();
    data_ = fresh;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::shared_ptr<const void> keeper_;
};

}  // namespace lookalike
