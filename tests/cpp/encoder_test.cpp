// The error of distances estimated from codes, for every code width and dimension.
#include "quant/encoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "base/errors.hpp"
#include "clusters.hpp"

namespace lookalike {
namespace {

using testing::clustered_floats;

/// Rows with their codes.
struct Encoded {
  Encoded(std::vector<float> vectors, std::size_t vector_dim, CodeWidth width, std::size_t stride)
      : rows(std::move(vectors)), dim(vector_dim), encoder(rows, dim, {width, stride}, 1, 1) {
    std::vector<float> copy = rows;
    codes.resize(count() * encoder.stride());
    encoder.encode(copy, codes.data());
  }
  std::size_t count() const { return rows.size() / dim; }
  const float* row(std::size_t i) const { return rows.data() + i * dim; }
  double truth(const float* query, std::size_t i) const {
    double sum = 0;
    for (std::size_t d = 0; d < dim; ++d) sum += (double{query[d]} - row(i)[d]) * (double{query[d]} - row(i)[d]);
    return sum;
  }
  std::vector<float> measured(const Scorer& scorer) const {
    std::vector<Row> all(count());
    std::iota(all.begin(), all.end(), Row{0});
    std::vector<float> out(count());
    scorer.measure(all.data(), all.size(), out.data());
    return out;
  }
  std::vector<float> query_scorer(const float* query) const {
    ScorerScratch scratch;
    return measured(encoder.query_scorer(query, codes.data(), scratch));
  }
  /// Distances from the origin.
  std::vector<float> row_scorer(Row row) const {
    ScorerScratch scratch;
    const Scorer scorer = encoder.row_scorer(row, codes.data(), scratch);
    std::vector<float> out = measured(scorer);
    for (float& x : out) x += scorer.offset;
    return out;
  }

  std::vector<float> rows;
  std::size_t dim;
  Encoder encoder;
  std::vector<std::byte> codes;
};

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

constexpr CodeWidth widths[] = {CodeWidth::eight, CodeWidth::four, CodeWidth::two, CodeWidth::one};

/// Selects the value for a code width; widths are in descending order.
template <class T>
T by_width(CodeWidth width, T eight, T four, T two, T one) {
  switch (width) {
    case CodeWidth::eight: return eight;
    case CodeWidth::four: return four;
    case CodeWidth::two: return two;
    case CodeWidth::one: return one;
  }
  return one;
}

TEST_CASE("distances by codes correlate with true distances, and true neighbours rank first" *
          doctest::test_suite("kernels")) {
  struct Case {
    std::size_t dim, stride;
  };
  for (const CodeWidth width : widths) {
    const std::size_t room = Encoder::max_dims(width, 64);
    for (const Case& c : {Case{2, 64}, Case{24, 64}, Case{room, 64}, Case{room + 1, 64}, Case{200, 64}, Case{200, 192},
                          Case{200, 256}}) {
      CAPTURE(c.dim);
      CAPTURE(c.stride);
      CAPTURE(static_cast<int>(width));
      const Encoded set(clustered_floats(600, c.dim, 1), c.dim, width, c.stride);
      CHECK(set.encoder.projected_dim() == std::min(c.dim, Encoder::max_dims(width, c.stride)));
      const std::vector<float> queries = clustered_floats(20, c.dim, 2);
      std::size_t right = 0;
      double worst = 1;
      for (std::size_t q = 0; q < 20; ++q) {
        const float* const query = queries.data() + q * c.dim;
        const std::vector<float> found = set.query_scorer(query);
        std::vector<double> truth(600), codes(found.begin(), found.end());
        for (std::size_t i = 0; i < 600; ++i) truth[i] = set.truth(query, i);
        worst = std::min(worst, correlation(truth, codes));
        std::vector<Row> by_truth(600), by_codes(600);
        std::iota(by_truth.begin(), by_truth.end(), Row{0});
        by_codes = by_truth;
        std::sort(by_truth.begin(), by_truth.end(), [&](Row a, Row b) { return truth[a] < truth[b]; });
        std::sort(by_codes.begin(), by_codes.end(), [&](Row a, Row b) { return codes[a] < codes[b]; });
        for (std::size_t i = 0; i < 10; ++i)
          right += std::find(by_codes.begin(), by_codes.begin() + 30, by_truth[i]) != by_codes.begin() + 30;
      }
      if (width < CodeWidth::four && c.dim < 24) continue;  // few levels in few dimensions rank poorly
      CHECK(worst > by_width(width, 0.9999, 0.998, 0.97, 0.93));
      CHECK(right >= by_width<std::size_t>(width, 199, 199, 197, 180));
    }
  }
}

TEST_CASE("with one code per coordinate, the error stays within the rounding bound") {
  for (const std::size_t dim : {1, 2, 7, 24, 56})
    for (const CodeWidth width : {CodeWidth::eight, CodeWidth::four}) {
      CAPTURE(dim);
      CAPTURE(static_cast<int>(width));
      const Encoded set(clustered_floats(300, dim, 3), dim, width, 64);
      std::vector<double> center(dim);
      for (std::size_t i = 0; i < set.rows.size(); ++i) center[i % dim] += set.rows[i] / 300.0;
      const auto length = [&](const float* vector) {
        double square = 0;
        for (std::size_t d = 0; d < dim; ++d) square += (vector[d] - center[d]) * (vector[d] - center[d]);
        return std::sqrt(square);
      };
      // A step is a fixed fraction of the largest coordinate; each coordinate is rounded by up to half a step.
      const double root = std::sqrt(static_cast<double>(dim));
      const double of_row = root / (width == CodeWidth::eight ? 254 : 15), of_query = 3 * root / 254;
      const std::vector<float> queries = clustered_floats(10, dim, 4);
      std::size_t beyond = 0;
      for (std::size_t q = 0; q < 10; ++q) {
        const float* const query = queries.data() + q * dim;
        const std::vector<float> found = set.query_scorer(query);
        const double size = length(query);
        for (std::size_t i = 0; i < 300; ++i) {
          const double error = found[i] + size * size - set.truth(query, i);
          const double bound = 2 * size * length(set.row(i)) * (of_row + of_query + of_row * of_query);
          beyond += !(std::abs(error) <= bound + 1e-4);
        }
      }
      CHECK(beyond == 0);
    }
}

TEST_CASE("one-dimensional vectors are encoded exactly") {
  for (const CodeWidth width : widths) {
    std::vector<float> values(256);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) - 100;
    const Encoded set(values, 1, width, 64);
    const float query = 50;
    const std::vector<float> found = set.query_scorer(&query);
    const auto nearest = std::min_element(found.begin(), found.end()) - found.begin();
    CHECK(std::abs(static_cast<int>(nearest) - 150) <= 2);
  }
}

TEST_CASE("the distance from a row to itself is 0 despite rounding") {
  for (const CodeWidth width : widths) {
    CAPTURE(static_cast<int>(width));
    constexpr std::size_t dim = 40;
    const Encoded set(clustered_floats(200, dim, 7), dim, width, 64);
    std::vector<float> center(dim);
    for (std::size_t i = 0; i < set.rows.size(); ++i) center[i % dim] += set.rows[i] / 200;
    for (std::size_t i = 0; i < 200; ++i) {
      double length = 0;
      for (std::size_t d = 0; d < dim; ++d) length += std::pow(double{set.row(i)[d]} - center[d], 2);
      CHECK(std::abs(set.query_scorer(set.row(i))[i] + length) <= 0.015 * length);
    }
  }
}

TEST_CASE("from a row, distances are symmetric and equal those of a query at that row" *
          doctest::test_suite("kernels")) {
  for (const CodeWidth width : widths)
    for (const std::size_t dim : {std::size_t{1}, std::size_t{40}, Encoder::max_dims(width, 64) + 20}) {
      CAPTURE(dim);
      CAPTURE(static_cast<int>(width));
      const Encoded set(clustered_floats(200, dim, 5), dim, width, 64);
      std::vector<std::vector<float>> from(20);
      for (Row row = 0; row < 20; ++row) from[row] = set.row_scorer(row);
      double scale = 0, lopsided = 0;
      for (Row a = 0; a < 20; ++a)
        for (Row b = 0; b < 20; ++b) {
          scale = std::max(scale, std::abs(double{from[a][b]}));
          lopsided = std::max(lopsided, std::abs(double{from[a][b]} - from[b][a]));
        }
      CHECK(lopsided <= 1e-4 * scale);

      std::vector<double> by_row, by_query;
      for (Row row = 0; row < 20; ++row) {
        const std::vector<float> found = set.query_scorer(set.row(row));
        for (Row other = 0; other < 200; ++other)
          if (other != row) by_row.push_back(from[row][other] - from[row][row]), by_query.push_back(found[other]);
        double mean_row = 0, mean_query = 0;
        for (std::size_t i = by_row.size() - 199; i < by_row.size(); ++i)
          mean_row += by_row[i] / 199, mean_query += by_query[i] / 199;
        for (std::size_t i = by_row.size() - 199; i < by_row.size(); ++i)
          by_row[i] -= mean_row, by_query[i] -= mean_query;
      }
      CHECK(correlation(by_row, by_query) > by_width(width, 0.9999, 0.999, 0.97, 0.95));
    }
}

TEST_CASE("a row at the centre keeps its exact norm, however small the other rows are") {
  for (const float size : {1e-12f, 1e-3f, 1.0f, 1e12f})
    for (const CodeWidth width : widths) {
      CAPTURE(size);
      CAPTURE(static_cast<int>(width));
      std::vector<float> rows = clustered_floats(101, 16, 6);
      for (float& x : rows) x *= size;
      std::fill_n(rows.begin(), 16, 0.0f);
      for (std::size_t i = 1; i < 101; i += 2)  // opposite pairs, so that the centre is row 0
        for (std::size_t d = 0; d < 16; ++d)
          if (i + 1 < 101) rows[(i + 1) * 16 + d] = -rows[i * 16 + d];
      const Encoded set(rows, 16, width, 64);
      const std::vector<float> found = set.query_scorer(set.row(0));
      for (std::size_t i = 1; i < 101; ++i) CHECK(found[i] == doctest::Approx(set.truth(set.row(0), i)).epsilon(0.001));
      CHECK(std::abs(found[0]) <= 1e-6 * found[1]);
      const std::vector<float> from = set.row_scorer(0);
      for (std::size_t i = 1; i < 101; ++i) CHECK(from[i] == doctest::Approx(set.truth(set.row(0), i)).epsilon(0.001));
    }
}

TEST_CASE("data that say nothing (equal or zero rows) give finite distances" * doctest::test_suite("kernels")) {
  for (const CodeWidth width : widths)
    for (const std::size_t dim : {1, 30, 120})
      for (const std::size_t count : {1, 200})
        for (const float value : {0.0f, -7.25f, 1e-42f, 1e15f}) {
          const Encoded set(std::vector<float>(count * dim, value), dim, width, 64);
          const std::vector<float> query(dim, value + 1);
          for (const float x : set.query_scorer(query.data())) CHECK(std::isfinite(x));
          const std::vector<float> row_distances = set.query_scorer(set.row(0));
          for (const float x : row_distances) CHECK(x == row_distances[0]);
          for (const float x : set.row_scorer(0)) CHECK(x == doctest::Approx(0));
        }
}

std::shared_ptr<std::vector<std::byte>> written(const FileWriter& file) {
  auto bytes = std::make_shared<std::vector<std::byte>>();
  file.write([&](std::span<const std::byte> piece) { bytes->insert(bytes->end(), piece.begin(), piece.end()); });
  return bytes;
}

TEST_CASE("a loaded encoder equals the saved one") {
  for (const CodeWidth width : widths) {
    const Encoded set(clustered_floats(300, 90, 8), 90, width, 64);
    FileWriter file("encoder");
    set.encoder.save(file);
    const Encoder same = Encoder::load(FileReader::from_bytes(written(file)));
    std::vector<float> copy = set.rows;
    std::vector<std::byte> codes(set.codes.size());
    same.encode(copy, codes.data());
    CHECK(codes == set.codes);
    ScorerScratch scratch;
    CHECK(set.measured(same.query_scorer(set.row(9), set.codes.data(), scratch)) == set.query_scorer(set.row(9)));
  }
}

TEST_CASE("an encoder with inconsistent sizes is corrupt") {
  const auto load = [](std::uint8_t width, std::uint64_t stride, std::size_t dim, std::size_t directions) {
    const std::vector<float> center(dim), rows(directions);
    FileWriter file("encoder");
    file.value<std::uint8_t>("code_width", width);
    file.value<std::uint64_t>("code_stride", stride);
    file.array<float>("code_center", center);
    file.array<float>("code_directions", rows);
    return Encoder::load(FileReader::from_bytes(written(file)));
  };
  CHECK_NOTHROW(load(8, 64, 60, 56 * 60));
  CHECK_NOTHROW(load(4, 64, 3, 9));
  struct Case {
    std::uint8_t width;
    std::uint64_t stride;
    std::size_t dim, directions;
  };
  for (const Case& bad : {Case{8, 64, 60, 57 * 60}, Case{8, 64, 60, 56 * 60 - 1}, Case{3, 64, 3, 9}, Case{0, 64, 3, 9},
                          Case{4, 0, 3, 9}, Case{4, 63, 3, 9}, Case{4, ~0ull, 3, 9}, Case{4, ~0ull << 6, 3, 9},
                          Case{4, 64, 0, 0}, Case{4, 64, 0, 9}, Case{4, 64, 3, 0}})
    CHECK_THROWS_AS(load(bad.width, bad.stride, bad.dim, bad.directions), CorruptFile);
}

}  // namespace
}  // namespace lookalike
