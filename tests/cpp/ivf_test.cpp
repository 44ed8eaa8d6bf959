// Recall of IVF searches over all metrics, element types, codes and arguments.
#include "index/ivf/ivf.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"
#include "index/approx/recall_evaluator.hpp"

namespace lookalike {
namespace {

using testing::clustered;
using testing::clustered_floats;
using testing::Found;
using testing::id_range;
using testing::is_in_order;
using testing::recall;
using testing::search;
using testing::Vectors;
using testing::view_of;

IvfSettings with_lists(std::size_t nlist, Quantization codes = Quantization::automatic) {
  IvfSettings settings;
  settings.nlist = nlist;
  settings.codes = codes;
  return settings;
}

/// The same vectors in an IVF index and in an exact index.
struct Pair {
  Pair(const VectorsView& vectors, Metric metric, const IvfSettings& settings = with_lists(40))
      : lists(0, metric, settings), exact(0, metric, Storage::automatic) {
    lists.add(vectors, 1);
    exact.add(vectors, 1);
  }
  double recall_of(const VectorsView& queries, std::size_t k, std::size_t nprobe = 0, const Where& where = {}) const {
    const Found found = search(lists, queries, k, nprobe, where);
    CHECK(is_in_order(found));
    return recall(found, search(exact, queries, k, where));
  }
  Ivf lists;
  Flat exact;
};

TEST_CASE("near neighbours are found for every metric, element type and code" * doctest::test_suite("kernels")) {
  struct Case {
    Metric metric;
    Element element;
    Quantization codes;
  };
  std::vector<Case> cases = {{Metric::hamming, Element::bits, Quantization::automatic}};
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const Element element : {Element::f32, Element::f16, Element::u8, Element::s8})
      cases.push_back({metric, element, Quantization::automatic});
    for (const Quantization codes : {Quantization::f32, Quantization::u8, Quantization::rabitq})
      cases.push_back({metric, Element::f32, codes});
    cases.push_back({metric, Element::u8, Quantization::u8});
    cases.push_back({metric, Element::s8, Quantization::rabitq});
  }
  for (const Case& c : cases) {
    CAPTURE(std::string(name_of(c.metric)));
    CAPTURE(std::string(name_of(c.element)));
    CAPTURE(std::string(name_of(c.codes)));
    const Pair pair(clustered(1200, 80, c.element, 1).view(), c.metric, with_lists(40, c.codes));
    const Vectors queries = clustered(50, 80, c.element, 2);
    CHECK_FALSE(pair.lists.is_exact());
    CHECK(pair.lists.list_count() == 40);
    CHECK(pair.lists.unreachable() == 0);
    CHECK(pair.recall_of(queries.view(), 10, 16) >= (c.codes == Quantization::rabitq ? 0.9 : 0.95));
    const IvfCosts costs = pair.lists.costs(queries.view(), 10, 16, 1);
    CHECK(costs.lists == 50 * 16);
    CHECK(costs.distances < 50 * 900);
    const bool scans_vectors = c.codes == Quantization::f32 || c.element == Element::bits ||
                               (c.element == Element::u8 && c.codes == Quantization::u8);
    CHECK((costs.reranked == 0) == scans_vectors);
  }
}

TEST_CASE("a larger nprobe finds more, and a batch finds what its queries find alone") {
  const Pair pair(clustered(3000, 24, Element::f32, 1).view(), Metric::l2, with_lists(0));
  CHECK(pair.lists.list_count() == 164);  // three times the square root of the rows
  const Vectors queries = clustered(61, 24, Element::f32, 2);
  double before = 0;
  for (const std::size_t nprobe : {1, 4, 16, 64, 218}) {
    const double now = pair.recall_of(queries.view(), 10, nprobe);
    CHECK(now >= before);
    before = now;
  }
  CHECK(before >= 0.99);
  const Found one_at_once = search(pair.lists, queries.view(), 10, 30);
  CHECK(search(pair.lists, queries.view(), 10, 30, {}, 3) == one_at_once);
  for (std::size_t q = 0; q < 61; ++q) {
    const Found single = search(pair.lists, queries.view(q, 1), 10, 30);
    CHECK(std::equal(single.ids.begin(), single.ids.end(),
                     one_at_once.ids.begin() + static_cast<std::ptrdiff_t>(10 * q)));
    CHECK(std::equal(single.distances.begin(), single.distances.end(),
                     one_at_once.distances.begin() + static_cast<std::ptrdiff_t>(10 * q)));
  }
}

TEST_CASE("k may be arbitrarily large") {
  const std::size_t rows = 1500;
  const Pair pair(clustered(rows, 24, Element::f32, 1).view(), Metric::l2, with_lists(20));
  const Vectors queries = clustered(5, 24, Element::f32, 2);
  for (const std::size_t k : {1, 100, 1499, 1500, 1501, 4000})
    for (const std::size_t nprobe : {1, 5, 20, 1000000}) {
      CAPTURE(k);
      CAPTURE(nprobe);
      const Found found = search(pair.lists, queries.view(), k, nprobe);
      CHECK(is_in_order(found));
      CHECK(std::count(found.ids.begin(), found.ids.end(), no_id) == 5 * (k > rows ? k - rows : 0));
      if (nprobe >= 5) CHECK(recall(found, search(pair.exact, queries.view(), k)) >= 0.75);
    }
}

TEST_CASE("small and empty indexes are searched exactly") {
  const Vectors queries = clustered(5, 24, Element::f32, 2);
  const Ivf empty(0, Metric::l2, {});
  CHECK(search(empty, queries.view(), 3).ids == std::vector<std::int64_t>(15, no_id));
  CHECK(empty.range(queries.view(), 10, {}, 1).ids.empty());
  CHECK(empty.costs(queries.view(), 3, 0, 1).distances == 0);
  CHECK(empty.is_exact());
  CHECK(empty.unreachable() == 0);
  CHECK(empty.scanned_codes() == Quantization::automatic);
  for (const std::size_t rows : {1, 2, 1023, 1024}) {
    const Pair pair(clustered(rows, 24, Element::f32, 1).view(), Metric::l2, with_lists(0));
    CHECK(pair.lists.is_exact() == (rows < 1024));
    CHECK((pair.lists.list_count() == 0) == (rows < 1024));
    if (rows < 1024) CHECK(search(pair.lists, queries.view(), 7, 1) == search(pair.exact, queries.view(), 7));
  }
  // As many rows as requested lists.
  Ivf many(0, Metric::l2, with_lists(1300));
  const Vectors vectors = clustered(1300, 24, Element::f32, 1);
  many.add(vectors.view(0, 1299), 1);
  CHECK(many.is_exact());
  many.add(vectors.view(1299, 1), 1);
  CHECK(many.list_count() == 1300);
  CHECK(testing::recall_of(many, queries.view(), 10, 400) >= 0.95);
}

TEST_CASE("filters that admit many rows, few, one and none") {
  const std::size_t rows = 3000;
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const Pair pair(clustered(rows, 80, Element::f32, 1).view(), metric, with_lists(100));
    const Vectors queries = clustered(40, 80, Element::f32, 2);
    std::mt19937 random(3);
    for (const std::size_t one_in : {2, 10, 100, 1000, 5000}) {
      std::vector<std::uint8_t> mask(rows);
      for (std::uint8_t& x : mask) x = random() % one_in == 0;
      const Where where = std::span<const std::uint8_t>(mask);
      CAPTURE(one_in);
      const Found found = search(pair.lists, queries.view(), 10, 0, where);
      const auto passing = static_cast<std::size_t>(std::count(mask.begin(), mask.end(), 1));
      for (std::size_t i = 0; i < found.ids.size(); ++i) {
        if (i % 10 < passing)
          CHECK(mask[static_cast<std::size_t>(found.ids[i])]);
        else
          CHECK(found.ids[i] == no_id);
      }
      if (passing) CHECK(pair.recall_of(queries.view(), 10, 0, where) >= 0.95);
    }
    // The admitted rows are clustered, far from the queries.
    const std::vector<std::int64_t> far = search(pair.exact, queries.view(0, 1), rows).ids;
    const std::vector<std::int64_t> last(far.end() - 1500, far.end());
    CHECK(pair.recall_of(queries.view(0, 1), 10, 20, view_of(last)) >= 0.9);
  }
}

TEST_CASE("equal vectors, one-dimensional vectors, and many copies of a few vectors") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const std::size_t dim : {1, 80})
      for (const float value : {0.0f, -3.5f}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(dim);
        CAPTURE(value);
        const Pair same(Vectors(std::vector<float>(1100 * dim, value), dim, Element::f32).view(), metric);
        const Vectors query_vectors(std::vector<float>(2 * dim, 1.25f), dim, Element::f32);
        const Found found = search(same.lists, query_vectors.view(), 20, 30);
        CHECK(is_in_order(found));
        CHECK(found.distances.front() == doctest::Approx(search(same.exact, query_vectors.view(), 1).distances[0]));
        CHECK(found.distances.back() == doctest::Approx(found.distances.front()));
        CHECK(std::count(found.ids.begin(), found.ids.end(), no_id) == 0);
        CHECK(same.lists.unreachable() == 0);
      }
  std::vector<float> line(2000);
  std::mt19937 random(4);
  for (float& x : line) x = std::normal_distribution<float>()(random);
  const Pair pair(Vectors(line, 1, Element::f32).view(), Metric::l2);
  CHECK(pair.recall_of(Vectors(std::span(line).first(50), 1, Element::f32).view(), 10, 6) >= 0.95);
  // Fewer distinct vectors than lists.
  std::vector<float> few_distinct = clustered_floats(1200, 24, 1);
  for (std::size_t i = 7; i < 1200; ++i)
    std::copy_n(few_distinct.begin() + (i % 7) * 24, 24, few_distinct.begin() + i * 24);
  const Pair repeated(Vectors(few_distinct, 24, Element::f32).view(), Metric::l2);
  CHECK(repeated.recall_of(Vectors(std::span(few_distinct).first(7 * 24), 24, Element::f32).view(), 10, 1) == 1);
}

TEST_CASE("huge and tiny vectors are found, and no distance is NaN") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const float size : {1e-25f, 1e-12f, 1e12f, 1e25f, 1e36f})
      for (const Quantization codes : {Quantization::automatic, Quantization::f32}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(size);
        CAPTURE(std::string(name_of(codes)));
        std::vector<float> rows = clustered_floats(1100, 40, 1), queries = clustered_floats(20, 40, 2);
        for (float& x : rows) x *= size;
        for (float& x : queries) x *= size;
        const Pair pair(Vectors(rows, 40, Element::f32).view(), metric, with_lists(20, codes));
        const Vectors query_vectors(queries, 40, Element::f32);
        const Found found = search(pair.lists, query_vectors.view(), 10, 12);
        CHECK(std::none_of(found.distances.begin(), found.distances.end(), [](float x) { return std::isnan(x); }));
        CHECK(pair.recall_of(query_vectors.view(), 10, 12) >= 0.95);
      }
}

TEST_CASE("vectors and queries whose squares overflow or underflow float are supported") {
  constexpr std::size_t rows = 1200;
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const float size : {1e-25f, 1e30f}) {
      CAPTURE(std::string(name_of(metric)));
      CAPTURE(size);
      Pair pair(clustered(rows, 40, Element::f32, 1).view(), metric);
      std::vector<float> values = clustered_floats(20, 40, 2);
      for (std::size_t i = 0; i < 10 * 40; ++i) values[i] *= size;
      const Vectors queries(values, 40, Element::f32);
      CHECK(pair.recall_of(queries.view(), 10, 20) >= 0.95);
      pair.lists.add(queries.view(0, 10), 1);
      pair.exact.add(queries.view(0, 10), 1);
      CHECK(pair.recall_of(queries.view(), 10, 20) >= 0.95);
      pair.lists.remove(view_of(id_range(rows, 10)));
      pair.exact.remove(view_of(id_range(rows, 10)));
      pair.lists.optimize();
      CHECK_FALSE(pair.lists.is_exact());
      CHECK(pair.recall_of(queries.view(), 10, 20) >= 0.95);
    }
}

TEST_CASE("an outlier does not lower recall") {
  for (const Metric metric : {Metric::l2, Metric::cosine})
    for (const float far : {1e4f, 1e8f, 1e15f}) {
      CAPTURE(std::string(name_of(metric)));
      CAPTURE(far);
      std::vector<float> rows = clustered_floats(1500, 40, 1);
      for (std::size_t d = 0; d < 40; ++d) rows[1234 * 40 + d] *= far;
      const Pair pair(Vectors(rows, 40, Element::f32).view(), metric);
      CHECK(pair.recall_of(clustered(50, 40, Element::f32, 2).view(), 10, 16) >= 0.95);
      CHECK(search(pair.lists, Vectors(std::span(rows).subspan(1234 * 40, 40), 40, Element::f32).view(), 1, 1).ids[0] ==
            1234);
    }
}

TEST_CASE("evaluated recall matches searches, and a stored query vector does not count as its own neighbour") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const Vectors queries = clustered(100, 80, Element::f32, 2);
    const Pair pair(clustered(1500, 80, Element::f32, 1).view(), metric);
    const RecallEvaluator evaluator(pair.lists.evaluated(), queries.view(), 10, 2),
        stored_queries(pair.lists.evaluated(), 200, 10, 1, 2);
    const auto share = [](const auto& hits) {
      return static_cast<double>(hits.found) / static_cast<double>(hits.total);
    };
    for (const std::size_t nprobe : {1, 4, 16}) {
      CHECK(share(evaluator.recall(nprobe, 2)) ==
            doctest::Approx(pair.recall_of(queries.view(), 10, nprobe)).epsilon(0.002));
      CHECK(std::abs(share(stored_queries.recall(nprobe, 1)) - share(evaluator.recall(nprobe, 1))) < 0.06);
    }
    CHECK(stored_queries.recall(4, 1).found == stored_queries.recall(4, 3).found);
  }
  Ivf few_distinct(0, Metric::l2, {});
  few_distinct.add(clustered(500, 8, Element::f32, 1).view(), 1);
  const RecallEvaluator evaluator(few_distinct.evaluated(), 50, 10, 1, 1);
  CHECK(evaluator.recall(1, 1).found == 500);
  few_distinct.remove(view_of(id_range(0, 1)));
  CHECK_THROWS_AS(evaluator.recall(1, 1), InvalidArgument);
}

TEST_CASE("inconsistent settings are rejected") {
  CHECK_THROWS_AS(Ivf(0, Metric::l2, with_lists((1 << 20) + 1)), InvalidArgument);
  CHECK_THROWS_AS(Ivf(0, Metric::hamming, with_lists(0, Quantization::u4)), InvalidArgument);
  CHECK_THROWS_AS(Ivf(0, Metric::l2, with_lists(0, Quantization::bits)), InvalidArgument);
  IvfSettings settings;
  settings.drops_originals = true;
  CHECK_THROWS_AS(Ivf(0, Metric::l2, settings), InvalidArgument);
}

}  // namespace
}  // namespace lookalike
