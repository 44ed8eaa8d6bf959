// Scratch objects that threads reuse.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace lookalike {

/// Lends objects of type T, and creates one when none is free. A borrowed object returns when it goes out of scope.
template <class T>
class ObjectPool {
 public:
  class Borrowed {
   public:
    Borrowed(ObjectPool& pool, std::unique_ptr<T> object) noexcept : pool_(&pool), object_(std::move(object)) {}
    Borrowed(Borrowed&& other) noexcept = default;
    Borrowed& operator=(Borrowed&&) = delete;
    ~Borrowed() {
      if (object_) pool_->give_back(std::move(object_));
    }
    T* operator->() const noexcept { return object_.get(); }
    T& operator*() const noexcept { return *object_; }

   private:
    ObjectPool* pool_;
    std::unique_ptr<T> object_;
  };

  Borrowed take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      free_.reserve(++created_);  // so that give_back cannot throw
      return {*this, std::make_unique<T>()};
    }
    std::unique_ptr<T> object = std::move(free_.back());
    free_.pop_back();
    return {*this, std::move(object)};
  }

 private:
  void give_back(std::unique_ptr<T> object) noexcept {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(object));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
  std::size_t created_ = 0;
};

}  // namespace lookalike
