// Recall of HNSW searches over all metrics, element types, codes and arguments.
#include "index/hnsw/hnsw.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "answers.hpp"
#include "base/errors.hpp"
#include "clusters.hpp"

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

/// The same vectors in a graph and in an exact index.
struct Pair {
  Pair(const VectorsView& vectors, Metric metric, const HnswSettings& settings = {})
      : graph(0, metric, settings), exact(0, metric, Storage::automatic) {
    graph.add(vectors, 1);
    exact.add(vectors, 1);
  }
  double recall_of(const VectorsView& queries, std::size_t k, std::size_t ef = 0, const Where& where = {}) const {
    const Found found = search(graph, queries, k, ef, where);
    CHECK(is_in_order(found));
    return recall(found, search(exact, queries, k, where));
  }
  Hnsw graph;
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
    for (const Quantization codes : {Quantization::f32, Quantization::u8, Quantization::u4, Quantization::rabitq})
      cases.push_back({metric, Element::f32, codes});
    cases.push_back({metric, Element::u8, Quantization::u8});
    cases.push_back({metric, Element::s8, Quantization::u4});
  }
  for (const Case& c : cases) {
    CAPTURE(std::string(name_of(c.metric)));
    CAPTURE(std::string(name_of(c.element)));
    CAPTURE(std::string(name_of(c.codes)));
    HnswSettings settings;
    settings.codes = c.codes;
    const Pair pair(clustered(1000, 80, c.element, 1).view(), c.metric, settings);
    const Vectors queries = clustered(50, 80, c.element, 2);
    CHECK(pair.recall_of(queries.view(), 10, 40) >= (c.codes == Quantization::rabitq ? 0.9 : 0.95));
    CHECK(pair.graph.costs(queries.view(), 10, 40, 1).distances < 50 * 800);
    CHECK(pair.graph.unreachable() == 0);
  }
}

TEST_CASE("a larger ef finds more, and a batch finds what its queries find alone") {
  const Pair pair(clustered(2000, 24, Element::f32, 1).view(), Metric::l2);
  const Vectors queries = clustered(61, 24, Element::f32, 2);
  CHECK(pair.recall_of(queries.view(), 10, 120) >= 0.99);
  CHECK(pair.recall_of(queries.view(), 10, 120) >= pair.recall_of(queries.view(), 10, 10));
  const Found batch = search(pair.graph, queries.view(), 10, 30, {}, 3);
  for (std::size_t q = 0; q < 61; ++q) {
    const Found single = search(pair.graph, queries.view(q, 1), 10, 30);
    CHECK(std::equal(single.ids.begin(), single.ids.end(), batch.ids.begin() + static_cast<std::ptrdiff_t>(10 * q)));
  }
}

TEST_CASE("k may be arbitrarily large") {
  const std::size_t rows = 1500;
  const Pair pair(clustered(rows, 16, Element::f32, 1).view(), Metric::l2);
  const Vectors queries = clustered(5, 16, Element::f32, 2);
  for (const std::size_t k : {1, 100, 750, 1499, 1500, 1501, 4000})
    for (const std::size_t ef : {1, 50, 1200, 1000000}) {
      CAPTURE(k);
      CAPTURE(ef);
      const Found found = search(pair.graph, queries.view(), k, ef);
      CHECK(is_in_order(found));
      CHECK(std::count(found.ids.begin(), found.ids.end(), no_id) == 5 * (k > rows ? k - rows : 0));
      CHECK(recall(found, search(pair.exact, queries.view(), k)) >= (k >= 750 ? 0.99 : 0.7));
    }
  CHECK(pair.graph.costs(queries.view(), rows, ~std::size_t{0} / 2, 1).distances <= 5 * (rows + 64));
}

TEST_CASE("small and empty indexes are searched exactly") {
  const Vectors queries = clustered(5, 16, Element::f32, 2);
  const Hnsw empty(0, Metric::l2, {});
  CHECK(search(empty, queries.view(), 3).ids == std::vector<std::int64_t>(15, no_id));
  CHECK(empty.range(queries.view(), 10, {}, 1).ids.empty());
  CHECK(empty.costs(queries.view(), 3, 0, 1).distances == 0);
  CHECK(empty.unreachable() == 0);
  CHECK(empty.quantization() == Quantization::automatic);
  for (const std::size_t rows : {1, 2, 511}) {
    const Pair pair(clustered(rows, 16, Element::f32, 1).view(), Metric::l2);
    CHECK(search(pair.graph, queries.view(), 7) == search(pair.exact, queries.view(), 7));
  }
}

TEST_CASE("filters that admit many rows, few, one and none") {
  const std::size_t rows = 3000;
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const Pair pair(clustered(rows, 80, Element::f32, 1).view(), metric);
    const Vectors queries = clustered(40, 80, Element::f32, 2);
    std::mt19937 random(3);
    for (const std::size_t one_in : {2, 10, 100, 1000, 5000}) {
      std::vector<std::uint8_t> mask(rows);
      for (std::uint8_t& x : mask) x = random() % one_in == 0;
      const Where where = std::span<const std::uint8_t>(mask);
      CAPTURE(one_in);
      const Found found = search(pair.graph, queries.view(), 10, 0, where);
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

TEST_CASE("equal vectors, and one-dimensional vectors") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const std::size_t dim : {1, 80})
      for (const float value : {0.0f, -3.5f}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(dim);
        CAPTURE(value);
        const Pair same(Vectors(std::vector<float>(1000 * dim, value), dim, Element::f32).view(), metric);
        const std::vector<float> query(2 * dim, 1.25f);
        const Vectors query_vectors(query, dim, Element::f32);
        const Found found = search(same.graph, query_vectors.view(), 20, 30);
        CHECK(is_in_order(found));
        CHECK(found.distances.front() == doctest::Approx(search(same.exact, query_vectors.view(), 1).distances[0]));
        CHECK(found.distances.back() == doctest::Approx(found.distances.front()));
        CHECK(std::count(found.ids.begin(), found.ids.end(), no_id) == 0);
        CHECK(same.graph.unreachable() == 0);
      }
  std::vector<float> line(3000);
  std::mt19937 random(4);
  for (float& x : line) x = std::normal_distribution<float>()(random);
  const Pair pair(Vectors(line, 1, Element::f32).view(), Metric::l2);
  CHECK(pair.recall_of(Vectors(std::span(line).first(50), 1, Element::f32).view(), 10, 30) >= 0.95);
}

TEST_CASE("huge and tiny vectors are found, and no distance is NaN") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const float size : {1e-25f, 1e-12f, 1e12f, 1e25f, 1e36f})
      for (const Quantization codes : {Quantization::automatic, Quantization::f32}) {
        CAPTURE(std::string(name_of(metric)));
        CAPTURE(size);
        CAPTURE(std::string(name_of(codes)));
        std::vector<float> rows = clustered_floats(700, 40, 1), queries = clustered_floats(20, 40, 2);
        for (float& x : rows) x *= size;
        for (float& x : queries) x *= size;
        HnswSettings settings;
        settings.codes = codes;
        const Pair pair(Vectors(rows, 40, Element::f32).view(), metric, settings);
        const Vectors query_vectors(queries, 40, Element::f32);
        const Found found = search(pair.graph, query_vectors.view(), 10, 40);
        CHECK(std::none_of(found.distances.begin(), found.distances.end(), [](float x) { return std::isnan(x); }));
        CHECK(recall(found, search(pair.exact, query_vectors.view(), 10)) >= 0.95);
      }
}

TEST_CASE("vectors and queries whose squares overflow or underflow float are supported") {
  constexpr std::size_t rows = 1500;
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const float size : {1e-25f, 1e30f}) {
      CAPTURE(std::string(name_of(metric)));
      CAPTURE(size);
      Pair pair(clustered(rows, 40, Element::f32, 1).view(), metric);
      std::vector<float> values = clustered_floats(20, 40, 2);
      for (std::size_t i = 0; i < 10 * 40; ++i) values[i] *= size;
      const Vectors queries(values, 40, Element::f32);
      CHECK(pair.recall_of(queries.view(), 10, 60) >= 0.95);
      pair.graph.add(queries.view(0, 10), 1);
      pair.exact.add(queries.view(0, 10), 1);
      CHECK(pair.recall_of(queries.view(), 10, 60) >= 0.95);
      pair.graph.remove(view_of(id_range(rows, 10)));
      pair.exact.remove(view_of(id_range(rows, 10)));
      pair.graph.optimize();
      CHECK(pair.graph.costs(queries.view(), 10, 60, 1).hops > 0);
      CHECK(pair.recall_of(queries.view(), 10, 60) >= 0.95);
      CHECK(pair.graph.unreachable() == 0);
    }
}

TEST_CASE("an outlier does not lower recall") {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine})
    for (const float far : {1e4f, 1e8f, 1e20f, 1e36f}) {
      CAPTURE(std::string(name_of(metric)));
      CAPTURE(far);
      std::vector<float> rows = clustered_floats(1500, 40, 1);
      for (std::size_t d = 0; d < 40; ++d) rows[1234 * 40 + d] *= far;
      const Pair pair(Vectors(rows, 40, Element::f32).view(), metric);
      CHECK(pair.recall_of(clustered(50, 40, Element::f32, 2).view(), 10, 40) >= 0.95);
      CHECK(pair.graph.unreachable() == 0);
    }
}

TEST_CASE("inconsistent settings are rejected") {
  HnswSettings thin, wide, blind, mixed;
  thin.M = 1;
  wide.ef_construction = 0;
  blind.drops_originals = true;
  mixed.codes = Quantization::bits;
  for (const HnswSettings& settings : {thin, wide, blind, mixed})
    CHECK_THROWS_AS(Hnsw(0, Metric::l2, settings), InvalidArgument);
  const Hnsw index(8, Metric::l2, {});
  const Vectors wrong_dim = clustered(1, 9, Element::f32, 1), right = clustered(1, 8, Element::f32, 1);
  CHECK_THROWS_AS(search(index, wrong_dim.view(), 1), DimensionMismatch);
  CHECK_THROWS_AS(search(index, right.view(), 0), InvalidArgument);
}

}  // namespace
}  // namespace lookalike
