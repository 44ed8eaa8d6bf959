#include "exact/kept_bounds.hpp"

namespace lookalike {
namespace {

constexpr std::size_t fewest_queries = 512;  // making a sketch costs about as much as searching for so many
constexpr std::size_t fewest_elements = std::size_t{1} << 22;  // below this a search is over before a sketch is read

bool wants_sketch(const ExactTarget& target) {
  return (target.metric == Metric::l2 || target.metric == Metric::cosine) &&
         target.rows.count * target.rows.dim >= fewest_elements;
}

}  // namespace

std::shared_ptr<const RowBounds> KeptBounds::find(const ExactTarget& target, std::size_t queries, unsigned threads) {
  {
    const std::scoped_lock reading(held_);
    if (is_known_) return sketch_;
  }
  if (queries < fewest_queries || !wants_sketch(target)) return nullptr;
  const std::unique_lock making(making_, std::try_to_lock);
  if (!making) return nullptr;
  auto made = RowBounds::build(target.rows, target.inverse_norms, threads);
  const std::scoped_lock writing(held_);
  sketch_ = std::move(made);
  is_known_ = true;
  return sketch_;
}

void KeptBounds::make(const ExactTarget& target, unsigned threads) {
  const std::scoped_lock making(making_);
  auto made = wants_sketch(target) ? RowBounds::build(target.rows, target.inverse_norms, threads) : nullptr;
  const std::scoped_lock writing(held_);
  sketch_ = std::move(made);
  is_known_ = true;
}

void KeptBounds::forget() noexcept {
  const std::scoped_lock writing(held_);
  sketch_.reset();
  is_known_ = false;
}

std::size_t KeptBounds::bytes() const {
  const std::scoped_lock reading(held_);
  return sketch_ ? sketch_->bytes() : 0;
}

}  // namespace lookalike
