// A contiguous array that either owns its elements or borrows them from a mapped file, behind one interface.
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

/// Elements are copied with memcpy. `resize_for_overwrite` leaves new elements uninitialised.
template <class T>
class Array {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Array() = default;
  explicit Array(std::span<const T> values) { append(values); }

  /// Borrows `values` and keeps their `owner` alive. The first mutation makes an owned copy.
  static Array mapped(std::span<const T> values, std::shared_ptr<const void> owner) {
    Array array;
    array.data_ = const_cast<T*>(values.data());
    array.size_ = values.size();
    array.owner_ = std::move(owner);
    return array;
  }

  /// Elements [first, first + count): borrowed if this array borrows, otherwise a copy.
  Array part(std::size_t first, std::size_t count) const {
    return owner_ ? mapped({data_ + first, count}, owner_) : Array(span().subspan(first, count));
  }

  Array(const Array& other) { append(other.span()); }
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array other) noexcept {
    swap(other);
    return *this;
  }
  ~Array() {
    if (!owner_) release(data_);
  }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  bool is_mapped() const noexcept { return owner_ != nullptr; }
  /// Heap bytes; 0 when mapped.
  std::size_t bytes_owned() const noexcept { return owner_ ? 0 : capacity_ * sizeof(T); }

  const T* data() const noexcept { return data_; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  std::span<const T> span() const noexcept { return {data_, size_}; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + size_; }

  /// Makes an owned copy of a mapped array first.
  T* mutable_data() {
    if (owner_) reallocate(size_);
    return data_;
  }

  /// Grows geometrically. New elements are uninitialised. The array is unchanged if std::bad_alloc is thrown.
  void resize_for_overwrite(std::size_t size) {
    if (owner_ || size > capacity_) reallocate(size > capacity_ ? std::max(size, size_ + size_ / 2) : size);
    size_ = size;
  }

  void resize(std::size_t size, T value = T{}) {
    const std::size_t before = size_;
    resize_for_overwrite(size);
    for (std::size_t i = before; i < size; ++i) data_[i] = value;
  }

  /// `values` must not alias this array.
  void append(std::span<const T> values) {
    const std::size_t before = size_;
    resize_for_overwrite(before + values.size());
    if (!values.empty()) std::memcpy(data_ + before, values.data(), values.size_bytes());
  }

  void push_back(T value) { append({&value, 1}); }

  /// Releases unused capacity.
  void shrink() {
    if (!owner_ && capacity_ > size_) reallocate(size_);
  }

  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(owner_, other.owner_);
  }

 private:
  void reallocate(std::size_t capacity) {
    if (capacity > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    T* grown = capacity ? static_cast<T*>(allocate(capacity * sizeof(T))) : nullptr;
    size_ = std::min(size_, capacity);
    if (size_) std::memcpy(grown, data_, size_ * sizeof(T));
    if (!owner_) release(data_);
    owner_.reset();
    data_ = grown;
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace lookalike
