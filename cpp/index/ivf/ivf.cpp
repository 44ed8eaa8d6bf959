#include "index/ivf/ivf.hpp"

#include <algorithm>
#include <new>
#include <numeric>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "index/ivf/points.hpp"
#include "index/ivf/split.hpp"
#include "index/ivf/training.hpp"
#include "kernels/precise.hpp"

namespace lookalike {
namespace {

constexpr std::size_t most_lists = 1 << 20;
constexpr std::size_t most_growth = 2;  // of the number of lists before they are learned anew: it grows as sqrt(rows)
constexpr double tolerated_length = 1.05;                         // of rows longer than any before, for Metric::ip
constexpr double splittable_length = 2, longest_estimated = 1e4;  // of the same, where codes are all there is

IvfSettings checked(const IvfSettings& settings) {
  if (settings.nlist > most_lists) {
    throw InvalidArgument("nlist is " + std::to_string(settings.nlist) + "; it must be at most " +
                          std::to_string(most_lists));
  }
  return settings;
}

}  // namespace

Ivf::Ivf(std::size_t dim, Metric metric, const IvfSettings& settings)
    : settings_(checked(settings)), records_(dim, metric, settings.storage(metric)) {}

Ivf::Ivf(Rows rows, IvfLists lists, const IvfSettings& settings)
    : settings_(checked(settings)), records_(std::move(rows)), lists_(std::move(lists)) {}

std::size_t Ivf::bytes() const {
  const Records::Reading rows = records_.read();
  return rows->bytes() + lists_.bytes();
}

std::size_t Ivf::list_count() const {
  const Records::Reading rows = records_.read();
  return lists_.lists.size();
}

std::size_t Ivf::longest_list() const {
  const Records::Reading rows = records_.read();
  std::size_t longest = 0;
  for (const InvertedList& list : lists_.lists) longest = std::max(longest, list.size());
  return longest;
}

Quantization Ivf::scanned_codes() const {
  const Records::Reading rows = records_.read();
  if (rows->count() == 0) return settings_.codes;
  const bool has_codes = !lists_.is_empty() && lists_.quantizer->scans_codes;
  return searched_codes(has_codes ? std::optional(lists_.quantizer->encoder.width()) : std::nullopt,
                        rows->store().element());
}

void Ivf::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing writing = records_.write();
  require_verified();
  if (vectors.count > 0) append(writing, writing.addition(vectors, ids, threads), threads);
}

void Ivf::add(const VectorsView& vectors, unsigned threads) {
  Records::Writing writing = records_.write();
  require_verified();
  if (vectors.count > 0) append(writing, writing.addition(vectors, threads), threads);
}

void Ivf::append(Records::Writing& writing, Change change, unsigned threads) {
  const Row first = change.first();
  const bool was_new = writing->is_new();
  place(writing, change, threads);
  try {
    list_new(writing, change.largest_norm(), threads);
  } catch (...) {
    writing.exclusively([&](Rows& rows) noexcept {
      rows.rollback(first);
      ++version_;
    });
    if (was_new) reset(writing);
    throw;
  }
  keep_promise(writing, writing->count() - first, threads);
}

void Ivf::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writing writing = records_.write();
  require_verified();
  if (vectors.count == 0) return;
  Change change = writing.upsertion(vectors, ids, threads);
  const Row first = change.first();
  const bool was_new = writing->is_new();
  std::vector<Row> moved(change.replaced().begin(), change.replaced().end());
  std::erase_if(moved, [&](Row row) { return row >= lists_.listed; });
  std::sort(moved.begin(), moved.end());
  place(writing, change, threads);
  try {
    relist(writing, moved, change, threads);
    list_new(writing, change.largest_norm(), threads);
  } catch (...) {  // what was replaced is replaced; what was to be new is not there
    writing.exclusively([&](Rows& rows) noexcept {
      rows.rollback(first);
      ++version_;
      // Where many stand in lists that are not theirs, those are of no use: the next change makes them anew. Without
      // vectors a row that is not where it should be has not been replaced.
      if (!settings_.forgets_vectors() && moved.size() > rows.count() / 100) lists_ = IvfLists();
    });
    if (was_new) reset(writing);
    throw;
  }
  keep_promise(writing, moved.size() + writing->count() - first, threads);
}

void Ivf::place(Records::Writing& writing, Change& change, unsigned threads) {
  const bool may_be_listed = is_measurable(change.fresh(), writing->metric(), threads) &&
                             is_measurable(change.replacements(), writing->metric(), threads);
  if (!may_be_listed && settings_.forgets_vectors()) {
    throw InvalidArgument(
        "vectors are so long or, under metric='cosine', so short that floats cannot measure them, so codes cannot "
        "stand for them; keep='auto' keeps such vectors");
  }
  if (settings_.forgets_vectors() && !lists_.is_empty() && is_longer(change.largest_norm(), longest_estimated)) {
    throw InvalidArgument(
        "vectors are more than 10000 times as long as all that codes were learned from, which cannot stand for them "
        "under metric='ip'; add the longest first, or keep vectors by keep='auto'");
  }
  const bool stay_vanishing = are_vanishing_ && squares_of(change.fresh(), writing->metric()) != Squares::measurable &&
                              squares_of(change.replacements(), writing->metric()) != Squares::measurable;
  IvfLists none;
  writing.exclusively([&](Rows& rows) {
    rows.commit(change);
    are_vanishing_ = stay_vanishing;
    ++version_;
    if (may_be_listed) return;
    has_extremes_ = true;
    std::swap(lists_, none);
  });
}

void Ivf::learn(Records::Writing& writing, double largest_norm, unsigned threads, std::optional<Frame> frame) {
  // Nothing less than all rows tells, so it is looked at only now, and kept in mind until a longer one comes.
  if (squares_of(writing->store().view(), writing->metric()) == Squares::vanishing) {
    IvfLists none;
    return writing.exclusively([&](Rows&) noexcept {
      are_vanishing_ = true;
      std::swap(lists_, none);
    });
  }
  const std::vector<Row> rows = writing->ids().live_rows();
  MetricSpace space = lists_.space(*writing);
  space.length = static_cast<float>(std::max(largest_norm, writing->largest_norm()));
  std::vector<float> augmentations(writing->metric() == Metric::ip ? writing->count() : 0);
  if (!augmentations.empty()) {
    for (const Row row : rows)
      augmentations[row] =
          augmentation_of(precise_square(space.rows.row(row), space.rows.element, space.rows.dim), space.length);
    space.augmentations = augmentations.data();
  }
  auto [next, labels] = learn_lists(space, rows, settings_, writing->store(), threads, {}, frame);
  IvfLists::Changes changes = next.with(space, rows, labels, threads);
  next.apply(changes);
  next.listed = writing->count();
  writing.exclusively([&, &next = next](Rows& stored) noexcept {
    std::swap(lists_, next);
    tuning_.promise.expire();
    stored.forget_vectors();
  });
}

bool Ivf::is_longer(double norm, double times) const noexcept {
  return records_.metric() == Metric::ip && norm > times * static_cast<double>(lists_.length);
}

void Ivf::list_new(Records::Writing& writing, double largest_norm, unsigned threads) {
  const std::size_t count = writing->count();
  const bool is_learned = settings_.forgets_vectors() && !lists_.is_empty();  // for good
  if (has_extremes_ || are_vanishing_ || (!is_learned && writing->live_count() < fewest_listed())) return;
  // Of all rows there are then, or were meanwhile, few were looked at.
  const bool has_changed =
      lists_.listed_since + (count - lists_.listed) >= (most_growth * most_growth - 1) * lists_.trained_over;
  if (!is_learned && (lists_.is_empty() || has_changed || is_longer(largest_norm, tolerated_length)))
    return learn(writing, largest_norm, threads);
  if (lists_.listed == count) return;
  std::vector<Row> rows(count - lists_.listed);
  std::iota(rows.begin(), rows.end(), static_cast<Row>(lists_.listed));
  enlist(writing, std::move(rows), {}, nullptr, count, threads);
}

void Ivf::relist(Records::Writing& writing, std::span<const Row> moved, Change& change, unsigned threads) {
  if (lists_.is_empty() || moved.empty()) return;
  RowFilter is_moved(writing->count());
  for (const Row row : moved) is_moved.set(row);
  enlist(writing, {moved.begin(), moved.end()}, lists_.without([&](Row row) { return is_moved.test(row); }), &change,
         lists_.listed, threads);
}

void Ivf::enlist(Records::Writing& writing, std::vector<Row> rows, IvfLists::Changes before, Change* replacements,
                 std::size_t listed, unsigned threads) {
  const std::size_t live = writing->live_count();
  const bool forgets = settings_.forgets_vectors();
  PassingPoints passing(*writing, lists_, replacements);
  MetricSpace space = lists_.space(*writing);
  if (forgets) space.elsewhere = &passing.elsewhere();
  std::vector<std::uint32_t> labels = lists_.nearest_lists(space, rows, threads);
  const std::size_t coming = rows.size();
  Arrivals arrivals = {std::move(rows), std::move(labels), std::move(before)};
  // What codes of one bit stand for is too far from the truth to be encoded again; and about centroids far longer than
  // queries, which are as long as rows were, codes mislead.
  const bool may_split =
      settings_.nlist == 0 &&
      !(forgets && (settings_.codes == Quantization::rabitq || is_longer(writing->largest_norm(), splittable_length)));
  if (may_split) {
    const std::vector<std::uint32_t> emptied = empty_long_lists(lists_, writing->ids().live(), live, arrivals);
    if (!emptied.empty()) {
      if (forgets) passing.find_codes();
      split_lists(lists_, emptied, space, live, settings_.seed, threads, arrivals);
      // Then most rows lie elsewhere than those that directions and codes were learned from.
      const bool are_many =
          arrivals.before.centroids->count() >= most_growth * lookalike::list_count(settings_, lists_.trained_over);
      const bool are_apart = !forgets && lie_apart(lists_, space, threads, arrivals);
      // A few that are tight would not tell learning so.
      const std::optional<Frame> frame = are_apart && 2 * coming < live ? std::optional(Frame::own) : std::nullopt;
      if ((are_many && !forgets) || are_apart) return learn(writing, writing->largest_norm(), threads, frame);
    }
  }
  IvfLists::Changes changes = lists_.with(space, arrivals.rows, arrivals.labels, threads, std::move(arrivals.before));
  writing.exclusively([&](Rows& stored) {
    lists_.apply(changes);
    lists_.listed_since += coming;
    lists_.listed = listed;
    if (listed == stored.count()) stored.forget_vectors();
  });
}

std::size_t Ivf::remove(const IdsView& ids) {
  Records::Writing writing = records_.write();
  require_verified();
  const std::vector<Row> known = writing->known(ids);
  const std::size_t removed = writing.exclusively([&](Rows& rows) {
    ++version_;
    tuning_.promise.changed += known.size();
    return rows.remove(known);
  });
  if (writing->removed_share() > Rows::most_removed) {
    try {
      compact(writing);
      keep_promise(writing, 0, 0);
    } catch (const std::bad_alloc&) {  // what was removed is removed; the memory comes back another time
    }
  }
  return removed;
}

void Ivf::compact(Records::Writing& writing) {
  const std::vector<Row> live = writing->ids().live_rows();
  Rows kept = writing->picked(live);
  IvfLists lists;  // of so few rows as are searched exactly, none: what comes may lie elsewhere
  const bool is_learned = settings_.forgets_vectors() && !live.empty();
  if (is_learned || live.size() >= fewest_listed()) lists = lists_.picked(live);
  const bool has_extremes = has_extremes_ && !is_measurable(kept.store().view(), kept.metric(), 0);
  writing.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    std::swap(lists_, lists);
    has_extremes_ = has_extremes;
    ++version_;
  });
}

void Ivf::reset() {
  Records::Writing writing = records_.write();
  require_verified();
  if (writing->live_count() > 0) return;
  compact(writing);
  reset(writing);
}

void Ivf::reset(Records::Writing& writing) noexcept {
  writing.exclusively([&](Rows& rows) {
    rows.reset();
    lists_ = IvfLists();
    has_extremes_ = are_vanishing_ = false;
    ++version_;
  });
}

void Ivf::optimize() {
  Records::Writing writing = records_.write();
  require_verified();
  compact(writing);
  // Someone who asks for order has time for better lists.
  const bool is_fixed = settings_.forgets_vectors() || lists_.is_empty();
  if (!is_fixed && 2 * lists_.listed_since >= lists_.trained_over) {
    learn(writing, writing->largest_norm(), 0);
  } else {
    list_new(writing, writing->largest_norm(), 0);
  }
  if (tuning_.promise.changed > 0) keep_promise(writing, writing->count(), 0);
}

Tuning Ivf::tuning() const {
  const Records::Reading rows = records_.read();
  return tuning_;
}

void Ivf::set_tuning(Tuning tuning) {
  Records::Writing writing = records_.write();
  writing.exclusively([&](Rows&) noexcept { std::swap(tuning_, tuning); });
}

std::size_t Ivf::usual_effort(std::size_t k) const {
  const Records::Reading rows = records_.read();
  const std::size_t probes = probes_for(*rows, k, 0);
  return lists_.is_empty() ? probes : std::min(probes, lists_.lists.size());
}

double Ivf::aged() const {
  const Records::Reading rows = records_.read();
  if (lists_.is_empty() || rows->count() == 0) return 0;
  return std::min(1.0, static_cast<double>(lists_.listed_since) / static_cast<double>(rows->count()));
}

bool Ivf::has_lists_for(const Rows& rows) const noexcept {
  return !lists_.is_empty() && (settings_.forgets_vectors() || rows.live_count() >= fewest_listed());
}

bool Ivf::is_exact() const {
  const Records::Reading rows = records_.read();
  return !has_lists_for(*rows);
}

std::size_t Ivf::unreachable() const {
  verify();
  const Records::Reading rows = records_.read();
  if (!has_lists_for(*rows)) return 0;
  std::size_t listed = 0;
  for (const InvertedList& list : lists_.lists)
    listed += static_cast<std::size_t>(
        std::count_if(list.rows.begin(), list.rows.end(), [&](Row row) { return rows->ids().is_live(row); }));
  return rows->live_count() - listed;
}

}  // namespace lookalike
