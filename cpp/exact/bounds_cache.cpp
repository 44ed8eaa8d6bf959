#include "exact/bounds_cache.hpp"

namespace lookalike {
namespace {

constexpr std::size_t min_queries_to_build = 512;           // building costs about as much as this many searches
constexpr std::size_t min_elements = std::size_t{1} << 22;  // with fewer, plain searches are as fast

bool is_worthwhile(const ExactTarget& target) {
  return (target.metric == Metric::l2 || target.metric == Metric::cosine) &&
         target.rows.count * target.rows.dim >= min_elements;
}

}  // namespace

std::shared_ptr<const RowBounds> BoundsCache::get(const ExactTarget& target, std::size_t queries, unsigned threads) {
  {
    const std::scoped_lock lock(state_mutex_);
    if (is_decided_) return bounds_;
  }
  if (queries < min_queries_to_build || !is_worthwhile(target)) return nullptr;
  const std::unique_lock build_lock(build_mutex_, std::try_to_lock);
  if (!build_lock) return nullptr;
  auto built = RowBounds::build(target.rows, target.inverse_norms, threads);
  const std::scoped_lock lock(state_mutex_);
  bounds_ = std::move(built);
  is_decided_ = true;
  return bounds_;
}

void BoundsCache::build(const ExactTarget& target, unsigned threads) {
  const std::scoped_lock build_lock(build_mutex_);
  auto built = is_worthwhile(target) ? RowBounds::build(target.rows, target.inverse_norms, threads) : nullptr;
  const std::scoped_lock lock(state_mutex_);
  bounds_ = std::move(built);
  is_decided_ = true;
}

void BoundsCache::invalidate() noexcept {
  const std::scoped_lock lock(state_mutex_);
  bounds_.reset();
  is_decided_ = false;
}

std::size_t BoundsCache::bytes() const {
  const std::scoped_lock lock(state_mutex_);
  return bounds_ ? bounds_->bytes() : 0;
}

}  // namespace lookalike
