// Tile kernels of every supported instruction set: packing, products, sums, keys and masks.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/array.hpp"
#include "kernels/dispatch.hpp"
#include "vectors.hpp"

namespace lookalike {
namespace {

using testing::number;
using testing::random_element;
using testing::Rows;

constexpr std::size_t tile_dims[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 67, 100, 784, 1536};

/// Multiplies `row_count` rows by `query_count` queries and checks every output.
template <class X, class Q>
void check_tile(const char* isa, const TileKernel& tile, Element row_element, Element query_element, std::size_t dim,
                std::size_t row_count, std::size_t query_count, bool centered) {
  CAPTURE(std::string(isa));
  CAPTURE(dim);
  CAPTURE(row_count);
  CAPTURE(query_count);
  std::mt19937 random(static_cast<unsigned>(dim));
  Rows<X> rows(row_count, dim, dim * sizeof(X), 0);
  rows.fill([&] { return random_element<X>(random); });
  Rows<Q> queries(query_count, dim, dim * sizeof(Q), 0);
  queries.fill([&] { return random_element<Q>(random); });
  const auto center = std::make_unique<float[]>(dim);
  for (std::size_t d = 0; d < dim; ++d) center[d] = random_element<float>(random);
  const float* const subtracted = centered ? center.get() : nullptr;
  const double shift = std::is_same_v<X, std::uint8_t> && std::is_same_v<Q, std::uint8_t> ? 128 : 0;
  const bool bytes = query_element != Element::f32;

  std::vector<const std::byte*> row_pointers, query_pointers;
  for (std::size_t i = 0; i < row_count; ++i) row_pointers.push_back(rows.data() + i * rows.stride());
  for (std::size_t i = 0; i < query_count; ++i) query_pointers.push_back(queries.data() + i * queries.stride());
  Array<std::byte> row_panel, query_panel;
  row_panel.resize_for_overwrite(tile.row_panel_bytes(dim));
  query_panel.resize_for_overwrite(tile.query_panel_bytes(dim));
  std::vector<std::int32_t> integer_starts(query_count);
  std::vector<float> float_starts(query_count);
  for (std::size_t i = 0; i < query_count; ++i) {
    integer_starts[i] = static_cast<std::int32_t>(i * 10);
    float_starts[i] = static_cast<float>(i * 10);
  }
  tile.pack_rows(row_pointers.data(), row_element, row_count, dim, subtracted, row_panel.mutable_data());
  tile.pack_queries(query_pointers.data(), query_element, query_count, dim, subtracted,
                    bytes ? static_cast<const void*>(integer_starts.data()) : float_starts.data(),
                    query_panel.mutable_data());

  std::vector<float> sums(tile.rows), squares(tile.rows), bias(tile.rows), scale(tile.rows), limits(tile.queries),
      keys(tile.rows * tile.queries);
  std::vector<std::uint32_t> masks(tile.queries);
  tile.row_sums(row_panel.data(), dim, sums.data(), squares.data());
  for (float& b : bias) b = random_element<float>(random);
  for (float& s : scale) s = random_element<float>(random);
  for (float& l : limits) l = random_element<float>(random);
  tile.multiply(row_panel.data(), query_panel.data(), dim, bias.data(), scale.data(), limits.data(), keys.data(),
                masks.data());

  const auto moved = [&](auto x, std::size_t d) { return number(x) - shift - (subtracted ? subtracted[d] : 0); };
  for (std::size_t r = 0; r < row_count; ++r) {
    double sum = 0, square = 0, size = 0;
    for (std::size_t d = 0; d < dim; ++d) {
      const double x = moved(rows.at(r, d), d);
      sum += x;
      square += x * x;
      size += std::abs(x);
    }
    const double roundings = static_cast<double>(dim + 16) * 0x1p-24;
    CHECK(std::abs(sums[r] - sum) <= roundings * size + 1e-30);
    CHECK(std::abs(squares[r] - square) <= roundings * square + 1e-30);
    for (std::size_t q = 0; q < query_count; ++q) {
      double dot = static_cast<double>(q * 10), magnitude = dot;
      for (std::size_t d = 0; d < dim; ++d) {
        const double term = moved(queries.at(q, d), d) * moved(rows.at(r, d), d);
        dot += term;
        magnitude += std::abs(term);
      }
      const float key = keys[q * tile.rows + r];
      const double tolerance = (bytes ? 3e-7 : static_cast<double>(dim + 16) * 0x1p-24) *
                               (magnitude * std::abs(scale[r]) + std::abs(bias[r]));
      CHECK(std::abs(key - (bias[r] - scale[r] * dot)) <= tolerance);
      CHECK((masks[q] >> r & 1) == static_cast<std::uint32_t>(!(key > limits[q])));
    }
  }
}

TEST_CASE("float tiles multiply rows of every number type, centred or not") {
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t dim : tile_dims)
      for (const bool centered : {false, true}) {
        const TileKernel& tile = table->tile_f32;
        check_tile<float, float>(table->isa, tile, Element::f32, Element::f32, dim, tile.rows, tile.queries, centered);
        check_tile<Half, float>(table->isa, tile, Element::f16, Element::f32, dim, tile.rows, 1, centered);
        check_tile<std::uint8_t, float>(table->isa, tile, Element::u8, Element::f32, dim, 1, tile.queries, centered);
        check_tile<std::int8_t, float>(table->isa, tile, Element::s8, Element::f32, dim, tile.rows - 1, 2, centered);
      }
}

TEST_CASE("byte tiles multiply signed and shifted unsigned bytes exactly") {
  for (const KernelTable* table : runnable_kernels())
    for (const std::size_t dim : tile_dims) {
      const TileKernel& tile = table->tile_bytes;
      check_tile<std::uint8_t, std::uint8_t>(table->isa, tile, Element::u8, Element::u8, dim, tile.rows, tile.queries,
                                             false);
      check_tile<std::int8_t, std::int8_t>(table->isa, tile, Element::s8, Element::s8, dim, tile.rows - 1,
                                           tile.queries - 1, false);
    }
}

TEST_CASE("a NaN key counts as not above any limit") {
  for (const KernelTable* table : runnable_kernels()) {
    const TileKernel& tile = table->tile_f32;
    const float x = 1, q = 1;
    const auto* const row = reinterpret_cast<const std::byte*>(&x);
    const auto* const query = reinterpret_cast<const std::byte*>(&q);
    Array<std::byte> rows, queries;
    rows.resize_for_overwrite(tile.row_panel_bytes(1));
    queries.resize_for_overwrite(tile.query_panel_bytes(1));
    tile.pack_rows(&row, Element::f32, 1, 1, nullptr, rows.mutable_data());
    tile.pack_queries(&query, Element::f32, 1, 1, nullptr, nullptr, queries.mutable_data());
    const std::vector<float> bias(tile.rows, std::numeric_limits<float>::quiet_NaN()), scale(tile.rows, 1.0f);
    const std::vector<float> limits(tile.queries, 0.0f);
    std::vector<float> keys(tile.rows * tile.queries);
    std::vector<std::uint32_t> masks(tile.queries);
    tile.multiply(rows.data(), queries.data(), 1, bias.data(), scale.data(), limits.data(), keys.data(), masks.data());
    CHECK((masks[0] & 1) == 1);
  }
}

}  // namespace
}  // namespace lookalike
