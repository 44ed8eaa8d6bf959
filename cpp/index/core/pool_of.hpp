// Working memory that is used again and again, by one thread at a time.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace lookalike {

/// Hands out T's, making one when none is free. What is handed out comes back when it goes out of scope.
template <class T>
class PoolOf {
 public:
  class Borrowed {
   public:
    Borrowed(PoolOf& pool, std::unique_ptr<T> thing) noexcept : pool_(&pool), thing_(std::move(thing)) {}
    Borrowed(Borrowed&& other) noexcept = default;
    Borrowed& operator=(Borrowed&&) = delete;
    ~Borrowed() {
      if (thing_) pool_->give_back(std::move(thing_));
    }
    T* operator->() const noexcept { return thing_.get(); }
    T& operator*() const noexcept { return *thing_; }

   private:
    PoolOf* pool_;
    std::unique_ptr<T> thing_;
  };

  Borrowed take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      free_.reserve(++made_);  // so that giving back cannot fail
      return {*this, std::make_unique<T>()};
    }
    std::unique_ptr<T> thing = std::move(free_.back());
    free_.pop_back();
    return {*this, std::move(thing)};
  }

 private:
  void give_back(std::unique_ptr<T> thing) noexcept {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(thing));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> free_;
  std::size_t made_ = 0;
};

}  // namespace lookalike
