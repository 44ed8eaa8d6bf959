// Searching an IVF index: by its lists, or exactly where that is cheaper.
#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/errors.hpp"
#include "exact/exact_search.hpp"
#include "index/core/chunked_search.hpp"
#include "index/ivf/ivf.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

// Rough costs in nanoseconds, which need only be right to a factor of two.
constexpr double scanned_row = 3, measured_row = 10, byte_of_a_row = 0.08, kept_in_order = 0.03;

/// While it lives, a file is read from its beginning to its end.
class Sweep {
 public:
  explicit Sweep(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
    if (file_) file_->expect(MappedFile::Reads::in_order);
  }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;
  ~Sweep() {
    if (!file_) return;
    file_->expect(MappedFile::Reads::in_places);
    file_->give_back();
  }

 private:
  std::shared_ptr<const MappedFile> file_;
};

}  // namespace

std::size_t Ivf::probes_for(const Rows& rows, std::size_t k, std::size_t nprobe) const {
  // Where nothing is asked for, as many as hold a few times k rows, at least.
  constexpr double times = 4;
  const double lists = static_cast<double>(lists_.lists.size());
  if (nprobe == 0) {
    const double holding =
        times * static_cast<double>(k) * lists / static_cast<double>(std::max<std::size_t>(1, rows.live_count()));
    // Splitting keeps lists as long as they are, so there are as many more of them.
    const std::size_t measured = tuning_.default_effort(rows.live_count(), usual_nprobe, 1);
    const std::size_t usual = measured ? measured : usual_nprobe;
    nprobe = std::max(usual, static_cast<std::size_t>(std::min(holding, lists)));
  }
  if (nprobe >= exact_effort && !settings_.forgets_vectors()) return exact_effort;
  return lists_.is_empty() ? nprobe : std::min(nprobe, lists_.lists.size());
}

// Of what lists hold only the share that passes is left, so there have to be that many more of them. Nullopt where
// measuring all that pass is cheaper.
std::optional<std::size_t> Ivf::probes(const Rows& rows, std::size_t passing, std::size_t k, std::size_t nprobe) const {
  if (!has_lists_for(rows) || nprobe == exact_effort) return std::nullopt;
  const std::size_t lists = lists_.lists.size();
  const double widening = static_cast<double>(rows.count()) / static_cast<double>(std::max<std::size_t>(passing, 1));
  // Removed rows spread the rest no further: only a filter does.
  const bool is_filtered = passing < rows.live_count() && widening > 1.05;
  const double wanted = std::ceil(static_cast<double>(nprobe) * (is_filtered ? 1.2 * widening : 1));
  const std::size_t probes = wanted < static_cast<double>(lists) ? static_cast<std::size_t>(wanted) : lists;
  const double scanned = static_cast<double>(rows.count()) * static_cast<double>(probes) / static_cast<double>(lists);
  const double kept = static_cast<double>(rows.store().view().stride);
  const double exact = static_cast<double>(passing) * (measured_row + byte_of_a_row * kept);
  const double measured = 4 * static_cast<double>(k), order = kept_in_order * static_cast<double>(k);
  const double found = measured * (measured_row + byte_of_a_row * kept + order);
  const bool may_measure = !settings_.forgets_vectors();
  if (may_measure && scanned * scanned_row + static_cast<double>(lists) + found >= exact) return std::nullopt;
  return probes;
}

void Ivf::search(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where, unsigned threads,
                 Answer& answer) const {
  require_search(queries, k, threads);
  // A long batch stops now and then for a writer, and for all who wait behind it. A filter holds
  // for the rows it was made for, so with one nobody comes in between.
  constexpr std::size_t most_together = 4096;
  const std::size_t together = std::holds_alternative<std::monostate>(where) ? most_together : queries.count;
  search_in_chunks(queries, k, together, answer, [&](const VectorsView& part, Answer& found) {
    search_at_once(part, k, nprobe, where, threads, found);
  });
}

void Ivf::search_at_once(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where,
                         unsigned threads, Answer& answer) const {
  const Records::Reading rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
  const std::size_t reachable = std::min(k, admitted ? admitted->count() : rows->live_count());
  std::vector<Neighbor> neighbors(queries.count * reachable);
  if (!neighbors.empty())
    find(*rows, queries, reachable, probes_for(*rows, reachable, nprobe), admitted, threads, neighbors);
  write_answer(neighbors, reachable, k, rows->ids(), answer);
}

void Ivf::find(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t nprobe,
               const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const RowFilter* const filter = admitted ? &*admitted : rows.ids().live();
  const std::size_t passing = admitted ? admitted->count() : rows.live_count();
  const std::optional<std::size_t> probes = this->probes(rows, passing, k, nprobe);
  if (!probes) return find_exactly(rows, queries, k, admitted, threads, out);
  if (settings_.forgets_vectors() && !is_measurable(queries, rows.metric(), threads)) {
    throw InvalidArgument(
        "queries are so long or, under metric='cosine', so short that floats cannot measure them by codes, and "
        "keep='none' keeps nothing else");
  }

  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  IvfTarget target = {lists_, lists_.space(rows), filter, file.get()};
  target.keeps_vectors = !settings_.forgets_vectors();
  const IvfTarget everything = target;
  // With a filter as many rows that pass are scanned as without it there would be rows, wherever they lie.
  std::vector<std::uint32_t> of_lists;
  if (admitted) {
    for (const InvertedList& list : lists_.lists) {
      const auto passes = [&](Row row) { return row < admitted->rows() && admitted->test(row); };
      of_lists.push_back(static_cast<std::uint32_t>(std::count_if(list.rows.begin(), list.rows.end(), passes)));
    }
    target.passing = of_lists;
    target.wanted = std::max(k, nprobe * rows.count() / lists_.lists.size());
    target.expected = *probes * passing / lists_.lists.size();
  }
  const auto put = [&](std::size_t q, std::span<const Neighbor> found) {
    const std::span<Neighbor> of_query = out.subspan(q * k, k);
    if (found.size() == k) {
      std::copy(found.begin(), found.end(), of_query.begin());
    } else if (!target.keeps_vectors) {
      const auto worker = workers_.take();
      const auto all = worker->one(everything, prepared, q, k, lists_.lists.size());
      std::fill(std::copy(all.begin(), all.end(), of_query.begin()), of_query.end(), Neighbor{});
    } else {  // the nearest ones that pass lie in other lists
      find_exactly(rows, queries.slice(q, 1), k, admitted, 1, of_query);
    }
  };
  if (queries.count == 1) return put(0, workers_.take()->one(target, prepared, 0, k, *probes));
  // So many together that most lists are near several of them, and every thread has some.
  constexpr std::size_t most_together = 512, fewest_together = 8;
  const std::size_t shares = 2 * static_cast<std::size_t>(threads ? threads : available_threads());
  const std::size_t together = std::clamp((queries.count + shares - 1) / shares, fewest_together, most_together);
  parallel_for((queries.count + together - 1) / together, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * together, last = std::min(queries.count, first + together);
    workers_.take()->several(target, prepared, first, last, k, *probes, put);
  });
}

void Ivf::find_exactly(const Rows& rows, const VectorsView& queries, std::size_t k,
                       const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const Sweep sweep(file_.lock());
  exact_search(rows.target(admitted), queries, k, threads, out);
}

bool Ivf::search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                        std::size_t effort, unsigned threads,
                        function_ref<void(std::size_t, std::span<const Neighbor>)> put) const {
  const std::optional<std::size_t> probes = this->probes(rows, rows.live_count(), k, probes_for(rows, k, effort));
  if (!probes) return false;
  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  const IvfTarget target = {lists_, lists_.space(rows), rows.ids().live(), file.get()};
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    put(q, workers_.take()->one(target, prepared, q, k, *probes, hidden[q]));
  });
  return true;
}

EvaluatedIndex Ivf::evaluated() const {
  return {&records_, &version_,
          [this](const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                 std::size_t effort, unsigned threads, function_ref<void(std::size_t, std::span<const Neighbor>)> put) {
            return search_hidden(rows, queries, hidden, k, effort, threads, put);
          }};
}

RangeAnswer Ivf::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_radius(radius);
  require_finite(queries, threads);
  records_.read()->require_vectors("a search by range");
  const Sweep sweep(file_.lock());
  return exact_range(records_, queries, radius, where, threads);
}

IvfCosts Ivf::costs(const VectorsView& queries, std::size_t k, std::size_t nprobe, unsigned threads) const {
  require_search(queries, k, threads);
  const Records::Reading rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  IvfCosts total;
  if (lists_.is_empty()) return total;
  const PreparedQueries prepared(queries, rows->store().element(), rows->metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  IvfTarget target = {lists_, lists_.space(*rows), rows->ids().live(), file.get()};
  target.keeps_vectors = !settings_.forgets_vectors();
  std::mutex adding;
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto worker = workers_.take();
    worker->costs = {};
    worker->one(target, prepared, q, k, probes_for(*rows, k, nprobe));
    const std::scoped_lock lock(adding);
    total.lists += worker->costs.lists;
    total.distances += worker->costs.distances;
    total.reranked += worker->costs.reranked;
  });
  const std::size_t kept = rows->store().view().stride;
  const IvfQuantizer& quantizer = *lists_.quantizer;
  const std::size_t scanned = quantizer.scans_codes ? CodeBlock::bytes(quantizer.form.units()) / CodeBlock::rows : kept;
  total.bytes = queries.count * quantizer.centroids.scanned_bytes() + total.distances * scanned + total.reranked * kept;
  return total;
}

}  // namespace lookalike
