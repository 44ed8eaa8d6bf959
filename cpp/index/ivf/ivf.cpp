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

constexpr std::size_t max_lists = 1 << 20;
// Lists are retrained when their ideal number has grown by this factor. It grows as sqrt(rows).
constexpr std::size_t max_list_growth = 2;
// For Metric::ip: the growth of the largest norm since training before lists are retrained, and, where only codes are
// kept, before lists are no longer split and before vectors are refused.
constexpr double max_norm_growth = 1.05, max_norm_growth_to_split = 2, max_norm_growth_of_codes = 1e4;

IvfSettings checked(const IvfSettings& settings) {
  if (settings.nlist > max_lists) {
    throw InvalidArgument("nlist is " + std::to_string(settings.nlist) + "; it must be at most " +
                          std::to_string(max_lists));
  }
  return settings;
}

}  // namespace

Ivf::Ivf(std::size_t dim, Metric metric, const IvfSettings& settings)
    : settings_(checked(settings)), records_(dim, metric, settings.storage(metric)) {}

Ivf::Ivf(Rows rows, IvfLists lists, const IvfSettings& settings)
    : settings_(checked(settings)), records_(std::move(rows)), lists_(std::move(lists)) {}

std::size_t Ivf::bytes() const {
  const Records::ReadLock rows = records_.read();
  return rows->bytes() + lists_.bytes();
}

std::size_t Ivf::list_count() const {
  const Records::ReadLock rows = records_.read();
  return lists_.lists.size();
}

std::size_t Ivf::longest_list() const {
  const Records::ReadLock rows = records_.read();
  std::size_t longest = 0;
  for (const InvertedList& list : lists_.lists) longest = std::max(longest, list.size());
  return longest;
}

Quantization Ivf::scanned_codes() const {
  const Records::ReadLock rows = records_.read();
  if (rows->count() == 0) return settings_.codes;
  const bool has_codes = !lists_.is_empty() && lists_.quantizer->scans_codes;
  return searched_quantization(has_codes ? std::optional(lists_.quantizer->encoder.width()) : std::nullopt,
                               rows->store().element());
}

void Ivf::add(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  require_verified();
  if (vectors.count > 0) append(writer, writer.addition(vectors, ids, threads), threads);
}

void Ivf::add(const VectorsView& vectors, unsigned threads) {
  Records::Writer writer = records_.write();
  require_verified();
  if (vectors.count > 0) append(writer, writer.addition(vectors, threads), threads);
}

void Ivf::append(Records::Writer& writer, Change change, unsigned threads) {
  const Row first = change.first();
  const bool was_new = writer->is_new();
  store_rows(writer, change, threads);
  try {
    list_new_rows(writer, change.largest_norm(), threads);
  } catch (...) {
    writer.exclusively([&](Rows& rows) noexcept {
      rows.rollback(first);
      ++version_;
    });
    if (was_new) reset(writer);
    throw;
  }
  keep_promise(writer, writer->count() - first, threads);
}

void Ivf::upsert(const VectorsView& vectors, const IdsView& ids, unsigned threads) {
  Records::Writer writer = records_.write();
  require_verified();
  if (vectors.count == 0) return;
  Change change = writer.upsertion(vectors, ids, threads);
  const Row first = change.first();
  const bool was_new = writer->is_new();
  std::vector<Row> replaced(change.replaced().begin(), change.replaced().end());
  std::erase_if(replaced, [&](Row row) { return row >= lists_.listed_rows; });
  std::sort(replaced.begin(), replaced.end());
  store_rows(writer, change, threads);
  try {
    relist_replaced(writer, replaced, change, threads);
    list_new_rows(writer, change.largest_norm(), threads);
  } catch (...) {  // replaced rows stay replaced; added rows are rolled back
    writer.exclusively([&](Rows& rows) noexcept {
      rows.rollback(first);
      ++version_;
      // If many replaced rows are still in the lists of their old vectors, drop all lists; the next change retrains
      // them. If only codes are kept, the lists must stay: such rows still have their old codes there.
      if (!settings_.keeps_only_codes() && replaced.size() > rows.count() / 100) lists_ = IvfLists();
    });
    if (was_new) reset(writer);
    throw;
  }
  keep_promise(writer, replaced.size() + writer->count() - first, threads);
}

void Ivf::store_rows(Records::Writer& writer, Change& change, unsigned threads) {
  const bool can_be_listed = is_measurable(change.added(), writer->metric(), threads) &&
                             is_measurable(change.replacements(), writer->metric(), threads);
  if (!can_be_listed && settings_.keeps_only_codes()) {
    throw InvalidArgument(
        "vectors are so long or, under metric='cosine', so short that floats cannot measure them, so codes cannot "
        "replace them; keep='auto' keeps such vectors");
  }
  if (settings_.keeps_only_codes() && !lists_.is_empty() &&
      exceeds_training_norm(change.largest_norm(), max_norm_growth_of_codes)) {
    throw InvalidArgument(
        "vectors are more than 10000 times as long as all that codes were learned from, so codes cannot replace them "
        "under metric='ip'; add the longest vectors first, or keep vectors by keep='auto'");
  }
  const bool stay_underflowing = are_underflowing_ &&
                                 norm_range_of(change.added(), writer->metric()) != NormRange::measurable &&
                                 norm_range_of(change.replacements(), writer->metric()) != NormRange::measurable;
  IvfLists empty_lists;
  writer.exclusively([&](Rows& rows) {
    rows.commit(change);
    are_underflowing_ = stay_underflowing;
    ++version_;
    if (can_be_listed) return;
    has_extremes_ = true;
    std::swap(lists_, empty_lists);
  });
}

void Ivf::train(Records::Writer& writer, double largest_norm, unsigned threads, std::optional<Frame> frame) {
  // Checking for underflow reads all rows, so the result is kept until a measurable row is added.
  if (norm_range_of(writer->store().view(), writer->metric()) == NormRange::underflowing) {
    IvfLists empty_lists;
    return writer.exclusively([&](Rows&) noexcept {
      are_underflowing_ = true;
      std::swap(lists_, empty_lists);
    });
  }
  const std::vector<Row> rows = writer->ids().live_rows();
  MetricSpace space = lists_.space(*writer);
  space.augmented_norm = static_cast<float>(std::max(largest_norm, writer->largest_norm()));
  std::vector<float> augmentations(writer->metric() == Metric::ip ? writer->count() : 0);
  if (!augmentations.empty()) {
    for (const Row row : rows)
      augmentations[row] = augmentation_of(
          precise_squared_norm(space.rows.row(row), space.rows.element, space.rows.dim), space.augmented_norm);
    space.augmentations = augmentations.data();
  }
  auto [next, labels] = train_lists(space, rows, settings_, writer->store(), threads, {}, frame);
  IvfLists::Changes changes = next.changes_to_add(space, rows, labels, threads);
  next.apply(changes);
  next.listed_rows = writer->count();
  writer.exclusively([&, &next = next](Rows& stored) noexcept {
    std::swap(lists_, next);
    tuning_.promise.expire();
    stored.drop_vectors();
  });
}

bool Ivf::exceeds_training_norm(double norm, double times) const noexcept {
  return records_.metric() == Metric::ip && norm > times * static_cast<double>(lists_.augmented_norm);
}

void Ivf::list_new_rows(Records::Writer& writer, double largest_norm, unsigned threads) {
  const std::size_t count = writer->count();
  const bool can_train = !settings_.keeps_only_codes() || lists_.is_empty();  // retraining needs vectors
  if (has_extremes_ || are_underflowing_ || (can_train && writer->live_count() < min_rows_to_list())) return;
  // Retrain once the rows added since training have grown the ideal number of lists by max_list_growth.
  const bool has_grown = lists_.listed_since_training + (count - lists_.listed_rows) >=
                         (max_list_growth * max_list_growth - 1) * lists_.trained_rows;
  if (can_train && (lists_.is_empty() || has_grown || exceeds_training_norm(largest_norm, max_norm_growth)))
    return train(writer, largest_norm, threads);
  if (lists_.listed_rows == count) return;
  std::vector<Row> rows(count - lists_.listed_rows);
  std::iota(rows.begin(), rows.end(), static_cast<Row>(lists_.listed_rows));
  assign_to_lists(writer, std::move(rows), {}, nullptr, count, threads);
}

void Ivf::relist_replaced(Records::Writer& writer, std::span<const Row> replaced, Change& change, unsigned threads) {
  if (lists_.is_empty() || replaced.empty()) return;
  RowFilter is_replaced(writer->count());
  for (const Row row : replaced) is_replaced.set(row);
  assign_to_lists(writer, {replaced.begin(), replaced.end()},
                  lists_.changes_to_remove([&](Row row) { return is_replaced.test(row); }), &change, lists_.listed_rows,
                  threads);
}

void Ivf::assign_to_lists(Records::Writer& writer, std::vector<Row> rows, IvfLists::Changes pending,
                          Change* replacements, std::size_t listed, unsigned threads) {
  const std::size_t live = writer->live_count();
  const bool keeps_only_codes = settings_.keeps_only_codes();
  PointSource points(*writer, lists_, replacements);
  MetricSpace space = lists_.space(*writer);
  if (keeps_only_codes) space.overrides = &points.overrides();
  std::vector<std::uint32_t> labels = lists_.nearest_lists(space, rows, threads);
  const std::size_t new_count = rows.size();
  Insertions insertions = {std::move(rows), std::move(labels), std::move(pending)};
  // Splitting decodes and re-encodes rows whose vectors are gone. Decoded 1-bit codes are too inaccurate for that.
  // Around centroids with a far larger norm than queries, codes are too inaccurate as well.
  const bool may_split =
      settings_.nlist == 0 &&
      !(keeps_only_codes && (settings_.codes == Quantization::rabitq ||
                             exceeds_training_norm(writer->largest_norm(), max_norm_growth_to_split)));
  if (may_split) {
    const std::vector<std::uint32_t> emptied = take_out_long_lists(lists_, writer->ids().live(), live, insertions);
    if (!emptied.empty()) {
      if (keeps_only_codes) points.locate_codes();
      split_lists(lists_, emptied, space, live, settings_.seed, threads, insertions);
      // With so many new lists, the training rows no longer represent most rows.
      const bool has_grown = insertions.pending.centroids->count() >=
                             max_list_growth * lookalike::list_count(settings_, lists_.trained_rows);
      const bool needs_frames = !keeps_only_codes && needs_own_frames(lists_, space, threads, insertions);
      // Training samples all rows, so it would miss that a minority of lists is tight. Pass the frame instead.
      const std::optional<Frame> frame =
          needs_frames && 2 * new_count < live ? std::optional(Frame::per_list) : std::nullopt;
      if ((has_grown && !keeps_only_codes) || needs_frames)
        return train(writer, writer->largest_norm(), threads, frame);
    }
  }
  IvfLists::Changes changes =
      lists_.changes_to_add(space, insertions.rows, insertions.labels, threads, std::move(insertions.pending));
  writer.exclusively([&](Rows& stored) {
    lists_.apply(changes);
    lists_.listed_since_training += new_count;
    lists_.listed_rows = listed;
    if (listed == stored.count()) stored.drop_vectors();
  });
}

std::size_t Ivf::remove(const IdsView& ids) {
  Records::Writer writer = records_.write();
  require_verified();
  const std::vector<Row> known = writer->find_or_throw(ids);
  const std::size_t removed = writer.exclusively([&](Rows& rows) {
    ++version_;
    tuning_.promise.changed += known.size();
    return rows.remove(known);
  });
  if (writer->removed_share() > Rows::max_removed_share) {
    try {
      compact(writer);
      keep_promise(writer, 0, 0);
    } catch (const std::bad_alloc&) {  // the rows are removed; a later change compacts the index
    }
  }
  return removed;
}

void Ivf::compact(Records::Writer& writer) {
  const std::vector<Row> live = writer->ids().live_rows();
  Rows kept = writer->subset(live);
  IvfLists lists;  // stays empty below min_rows_to_list: later rows may be distributed differently
  const bool needs_lists = settings_.keeps_only_codes() && !live.empty();  // they hold the only copy of the rows
  if (needs_lists || live.size() >= min_rows_to_list()) lists = lists_.subset(live);
  const bool has_extremes = has_extremes_ && !is_measurable(kept.store().view(), kept.metric(), 0);
  writer.exclusively([&](Rows& rows) noexcept {
    rows.swap(kept);
    std::swap(lists_, lists);
    has_extremes_ = has_extremes;
    ++version_;
  });
}

void Ivf::reset() {
  Records::Writer writer = records_.write();
  require_verified();
  if (writer->live_count() > 0) return;
  compact(writer);
  reset(writer);
}

void Ivf::reset(Records::Writer& writer) noexcept {
  writer.exclusively([&](Rows& rows) {
    rows.reset();
    lists_ = IvfLists();
    has_extremes_ = are_underflowing_ = false;
    ++version_;
  });
}

void Ivf::optimize() {
  Records::Writer writer = records_.write();
  require_verified();
  compact(writer);
  // An explicit optimize() may take the time to retrain lists earlier than add() does.
  const bool can_retrain = !settings_.keeps_only_codes() && !lists_.is_empty();
  if (can_retrain && 2 * lists_.listed_since_training >= lists_.trained_rows) {
    train(writer, writer->largest_norm(), 0);
  } else {
    list_new_rows(writer, writer->largest_norm(), 0);
  }
  if (tuning_.promise.changed > 0) keep_promise(writer, writer->count(), 0);
}

Tuning Ivf::tuning() const {
  const Records::ReadLock rows = records_.read();
  return tuning_;
}

void Ivf::set_tuning(Tuning tuning) {
  Records::Writer writer = records_.write();
  writer.exclusively([&](Rows&) noexcept { std::swap(tuning_, tuning); });
}

std::size_t Ivf::default_effort(std::size_t k) const {
  const Records::ReadLock rows = records_.read();
  const std::size_t probes = resolved_nprobe(*rows, k, 0);
  return lists_.is_empty() ? probes : std::min(probes, lists_.lists.size());
}

double Ivf::untrained_share() const {
  const Records::ReadLock rows = records_.read();
  if (lists_.is_empty() || rows->count() == 0) return 0;
  return std::min(1.0, static_cast<double>(lists_.listed_since_training) / static_cast<double>(rows->count()));
}

bool Ivf::has_lists_for(const Rows& rows) const noexcept {
  return !lists_.is_empty() && (settings_.keeps_only_codes() || rows.live_count() >= min_rows_to_list());
}

bool Ivf::is_exact() const {
  const Records::ReadLock rows = records_.read();
  return !has_lists_for(*rows);
}

std::size_t Ivf::unreachable() const {
  verify();
  const Records::ReadLock rows = records_.read();
  if (!has_lists_for(*rows)) return 0;
  std::size_t listed = 0;
  for (const InvertedList& list : lists_.lists)
    listed += static_cast<std::size_t>(
        std::count_if(list.rows.begin(), list.rows.end(), [&](Row row) { return rows->ids().is_live(row); }));
  return rows->live_count() - listed;
}

}  // namespace lookalike
