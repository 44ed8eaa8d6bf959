// Searches of an IVF index. Each search scans lists, or all rows if that is cheaper.
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

// Rough costs; a factor of two is precise enough.
constexpr double scan_ns_per_row = 3, measure_ns_per_row = 10, measure_ns_per_byte = 0.08, sort_ns_per_neighbor = 0.03;

/// While it lives, the operating system expects sequential reads of the mapped file.
class SequentialRead {
 public:
  explicit SequentialRead(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
    if (file_) file_->advise(MappedFile::Access::sequential);
  }
  SequentialRead(const SequentialRead&) = delete;
  SequentialRead& operator=(const SequentialRead&) = delete;
  ~SequentialRead() {
    if (!file_) return;
    file_->advise(MappedFile::Access::random);
    file_->drop_pages();
  }

 private:
  std::shared_ptr<const MappedFile> file_;
};

}  // namespace

std::size_t Ivf::resolved_nprobe(const Rows& rows, std::size_t k, std::size_t nprobe) const {
  // The default number of lists holds at least this many rows per neighbour.
  constexpr double min_rows_per_neighbor = 4;
  const double lists = static_cast<double>(lists_.lists.size());
  if (nprobe == 0) {
    const double covering = min_rows_per_neighbor * static_cast<double>(k) * lists /
                            static_cast<double>(std::max<std::size_t>(1, rows.live_count()));
    // Splitting keeps the length of lists constant, so their number and the effort grow in proportion to the rows.
    const std::size_t measured = tuning_.default_effort(rows.live_count(), default_nprobe, 1);
    const std::size_t default_probes = measured ? measured : default_nprobe;
    nprobe = std::max(default_probes, static_cast<std::size_t>(std::min(covering, lists)));
  }
  if (nprobe >= exact_effort && !settings_.keeps_only_codes()) return exact_effort;
  return lists_.is_empty() ? nprobe : std::min(nprobe, lists_.lists.size());
}

// Only the share of rows that passes the filter counts, so more lists are probed.
std::optional<std::size_t> Ivf::widened_nprobe(const Rows& rows, std::size_t admitted_count, std::size_t k,
                                               std::size_t nprobe) const {
  if (!has_lists_for(rows) || nprobe == exact_effort) return std::nullopt;
  const std::size_t lists = lists_.lists.size();
  const double rows_per_admitted =
      static_cast<double>(rows.count()) / static_cast<double>(std::max<std::size_t>(admitted_count, 1));
  // Only a filter requires more probes; tombstones alone do not.
  const bool is_filtered = admitted_count < rows.live_count() && rows_per_admitted > 1.05;
  const double widened = std::ceil(static_cast<double>(nprobe) * (is_filtered ? 1.2 * rows_per_admitted : 1));
  const std::size_t probes = widened < static_cast<double>(lists) ? static_cast<std::size_t>(widened) : lists;
  const double scanned_rows =
      static_cast<double>(rows.count()) * static_cast<double>(probes) / static_cast<double>(lists);
  const double vector_bytes = static_cast<double>(rows.store().view().stride);
  const double exact_ns =
      static_cast<double>(admitted_count) * (measure_ns_per_row + measure_ns_per_byte * vector_bytes);
  const double reranked = 4 * static_cast<double>(k), sort_ns = sort_ns_per_neighbor * static_cast<double>(k);
  const double rerank_ns = reranked * (measure_ns_per_row + measure_ns_per_byte * vector_bytes + sort_ns);
  const bool can_search_exactly = !settings_.keeps_only_codes();
  if (can_search_exactly && scanned_rows * scan_ns_per_row + static_cast<double>(lists) + rerank_ns >= exact_ns)
    return std::nullopt;
  return probes;
}

void Ivf::search(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where, unsigned threads,
                 Answer& answer) const {
  require_search(queries, k, threads);
  // Re-acquires the read lock per chunk so that writers are not starved. A filter is valid only for the rows it was
  // made for, so a filtered batch is a single chunk.
  constexpr std::size_t max_chunk = 4096;
  const std::size_t chunk_size = std::holds_alternative<std::monostate>(where) ? max_chunk : queries.count;
  search_in_chunks(queries, k, chunk_size, answer, [&](const VectorsView& chunk, Answer& found) {
    search_chunk(chunk, k, nprobe, where, threads, found);
  });
}

void Ivf::search_chunk(const VectorsView& queries, std::size_t k, std::size_t nprobe, const Where& where,
                       unsigned threads, Answer& answer) const {
  const Records::ReadLock rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  const std::optional<RowFilter> admitted = admitted_rows(where, rows->ids());
  const std::size_t reachable = std::min(k, admitted ? admitted->count() : rows->live_count());
  std::vector<Neighbor> neighbors(queries.count * reachable);
  if (!neighbors.empty())
    search_rows(*rows, queries, reachable, resolved_nprobe(*rows, reachable, nprobe), admitted, threads, neighbors);
  write_answer(neighbors, reachable, k, rows->ids(), answer);
}

void Ivf::search_rows(const Rows& rows, const VectorsView& queries, std::size_t k, std::size_t nprobe,
                      const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const RowFilter* const filter = admitted ? &*admitted : rows.ids().live();
  const std::size_t admitted_count = admitted ? admitted->count() : rows.live_count();
  const std::optional<std::size_t> probes = widened_nprobe(rows, admitted_count, k, nprobe);
  if (!probes) return search_exactly(rows, queries, k, admitted, threads, out);
  if (settings_.keeps_only_codes() && !is_measurable(queries, rows.metric(), threads)) {
    throw InvalidArgument(
        "queries are so long or, under metric='cosine', so short that floats cannot compare them with codes, and "
        "keep='none' keeps no vectors");
  }

  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  IvfTarget target = {lists_, lists_.space(rows), filter, file.get()};
  target.keeps_vectors = !settings_.keeps_only_codes();
  const IvfTarget unfiltered = target;
  // With a filter, scans as many admitted rows as an unfiltered search scans in total.
  std::vector<std::uint32_t> admitted_per_list;
  if (admitted) {
    for (const InvertedList& list : lists_.lists) {
      const auto passes = [&](Row row) { return row < admitted->rows() && admitted->test(row); };
      admitted_per_list.push_back(
          static_cast<std::uint32_t>(std::count_if(list.rows.begin(), list.rows.end(), passes)));
    }
    target.admitted_per_list = admitted_per_list;
    target.min_admitted = std::max(k, nprobe * rows.count() / lists_.lists.size());
    target.expected_admitted = *probes * admitted_count / lists_.lists.size();
  }
  const auto emit = [&](std::size_t q, std::span<const Neighbor> found) {
    const std::span<Neighbor> out_of_query = out.subspan(q * k, k);
    if (found.size() == k) {
      std::copy(found.begin(), found.end(), out_of_query.begin());
    } else if (!target.keeps_vectors) {
      const auto worker = workers_.take();
      const auto all = worker->search(unfiltered, prepared, q, k, lists_.lists.size());
      std::fill(std::copy(all.begin(), all.end(), out_of_query.begin()), out_of_query.end(), Neighbor{});
    } else {  // the probed lists hold too few admitted rows
      search_exactly(rows, queries.slice(q, 1), k, admitted, 1, out_of_query);
    }
  };
  if (queries.count == 1) return emit(0, workers_.take()->search(target, prepared, 0, k, *probes));
  // Batches are large enough that several queries share most lists, and small enough to occupy all threads.
  constexpr std::size_t max_batch = 512, min_batch = 8;
  const std::size_t min_tasks = 2 * static_cast<std::size_t>(threads ? threads : available_threads());
  const std::size_t batch = std::clamp((queries.count + min_tasks - 1) / min_tasks, min_batch, max_batch);
  parallel_for((queries.count + batch - 1) / batch, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * batch, last = std::min(queries.count, first + batch);
    workers_.take()->search_batch(target, prepared, first, last, k, *probes, emit);
  });
}

void Ivf::search_exactly(const Rows& rows, const VectorsView& queries, std::size_t k,
                         const std::optional<RowFilter>& admitted, unsigned threads, std::span<Neighbor> out) const {
  const SequentialRead sequential_read(file_.lock());
  exact_search(rows.target(admitted), queries, k, threads, out);
}

bool Ivf::search_hidden(const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
                        std::size_t effort, unsigned threads,
                        function_ref<void(std::size_t, std::span<const Neighbor>)> emit) const {
  const std::optional<std::size_t> probes =
      widened_nprobe(rows, rows.live_count(), k, resolved_nprobe(rows, k, effort));
  if (!probes) return false;
  const PreparedQueries prepared(queries, rows.store().element(), rows.metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  const IvfTarget target = {lists_, lists_.space(rows), rows.ids().live(), file.get()};
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    emit(q, workers_.take()->search(target, prepared, q, k, *probes, hidden[q]));
  });
  return true;
}

EvaluatedIndex Ivf::evaluated() const {
  return {
      &records_, &version_,
      [this](const Rows& rows, const VectorsView& queries, std::span<const Row> hidden, std::size_t k,
             std::size_t effort, unsigned threads, function_ref<void(std::size_t, std::span<const Neighbor>)> emit) {
        return search_hidden(rows, queries, hidden, k, effort, threads, emit);
      }};
}

RangeAnswer Ivf::range(const VectorsView& queries, float radius, const Where& where, unsigned threads) const {
  require_radius(radius);
  require_finite(queries, threads);
  records_.read()->require_vectors("a search by range");
  const SequentialRead sequential_read(file_.lock());
  return exact_range(records_, queries, radius, where, threads);
}

IvfCosts Ivf::costs(const VectorsView& queries, std::size_t k, std::size_t nprobe, unsigned threads) const {
  require_search(queries, k, threads);
  const Records::ReadLock rows = records_.read();
  if (queries.count > 0) rows->require_shape(queries, "queries");
  IvfCosts total;
  if (lists_.is_empty()) return total;
  const PreparedQueries prepared(queries, rows->store().element(), rows->metric(), threads);
  const std::shared_ptr<const MappedFile> file = file_.lock();
  IvfTarget target = {lists_, lists_.space(*rows), rows->ids().live(), file.get()};
  target.keeps_vectors = !settings_.keeps_only_codes();
  std::mutex total_mutex;
  parallel_for(queries.count, threads, [&](std::size_t q, unsigned) {
    const auto worker = workers_.take();
    worker->costs = {};
    worker->search(target, prepared, q, k, resolved_nprobe(*rows, k, nprobe));
    const std::scoped_lock lock(total_mutex);
    total.lists += worker->costs.lists;
    total.distances += worker->costs.distances;
    total.reranked += worker->costs.reranked;
  });
  const std::size_t vector_bytes = rows->store().view().stride;
  const IvfQuantizer& quantizer = *lists_.quantizer;
  const std::size_t scanned_bytes =
      quantizer.scans_codes ? CodeBlock::bytes(quantizer.layout.units()) / CodeBlock::rows : vector_bytes;
  total.bytes = queries.count * quantizer.centroids.scanned_bytes() + total.distances * scanned_bytes +
                total.reranked * vector_bytes;
  return total;
}

}  // namespace lookalike
