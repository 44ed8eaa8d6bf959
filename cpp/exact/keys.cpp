#include "exact/keys.hpp"

#include <cmath>

#include "kernels/table.hpp"

namespace lookalike {
namespace {

/// Invokes call(kernels, query) with the kernels for these elements and the query cast to their type.
template <class Callback>
void with_kernels(Metric metric, Element query, Element row, const std::byte* vector, Callback call) {
  const KernelTable& table = kernels();
  const auto call_with = [&](const auto& squared_l2, const auto& inner_product, const auto* q) {
    call(metric == Metric::l2 ? squared_l2 : inner_product, q);
  };
  if (metric == Metric::hamming) return call(table.hamming, reinterpret_cast<const std::uint8_t*>(vector));
  if (query == Element::u8)
    return call_with(table.squared_l2_u8, table.inner_product_u8, reinterpret_cast<const std::uint8_t*>(vector));
  if (query == Element::s8)
    return call_with(table.squared_l2_s8, table.inner_product_s8, reinterpret_cast<const std::int8_t*>(vector));
  const auto* const q = reinterpret_cast<const float*>(vector);
  switch (row) {
    case Element::f32: return call_with(table.squared_l2_f32, table.inner_product_f32, q);
    case Element::f16: return call_with(table.squared_l2_f16, table.inner_product_f16, q);
    case Element::u8: return call_with(table.squared_l2_f32_u8, table.inner_product_f32_u8, q);
    case Element::s8: return call_with(table.squared_l2_f32_s8, table.inner_product_f32_s8, q);
    case Element::bits: break;
  }
}

}  // namespace

void block_keys(const ExactTarget& target, const PreparedQueries& queries, std::size_t query,
                std::span<const Row> subset, std::size_t first, std::size_t count, float* keys) {
  const VectorsView& rows = target.rows;
  with_kernels(target.metric, queries.element(), rows.element, queries.query(query),
               [&](const auto& kernel, const auto* q) {
                 if (subset.empty())
                   kernel.scan(q, rows.row(first), rows.stride, count, rows.dim, keys);
                 else
                   kernel.gather(q, rows.data, rows.stride, subset.data() + first, count, rows.dim, keys);
               });
  // A sum that overflowed may be an infinity of the wrong sign. Adding 0 * infinity makes it NaN.
  if (target.metric == Metric::ip)
    for (std::size_t i = 0; i < count; ++i) keys[i] += 0 * keys[i];
  if (target.metric != Metric::cosine) return;
  const float underflow_error = underflow(rows.dim);
  for (std::size_t i = 0; i < count; ++i) {
    const float inverse_norm = target.inverse_norms[subset.empty() ? first + i : subset[first + i]];
    keys[i] = keys[i] * inverse_norm - underflow_error * inverse_norm + 0 * keys[i];
  }
}

Slack key_slack(const ExactTarget& target, const PreparedQueries& queries, std::size_t query) {
  const bool is_integer = queries.element() != Element::f32;
  const float relative_error = is_integer ? integer_error : summation_error(target.rows.dim);
  const float underflow_error = underflow(target.rows.dim);
  Slack slack{.relative = 2 * relative_error, .query = underflow_error};
  if (target.metric == Metric::cosine) {
    slack.rows = target.inverse_norms;
    slack.row_unit = underflow_error;
  }
  if (target.metric == Metric::l2 || is_integer) return slack;
  const double norm = std::sqrt(queries.square(query));
  const double products = target.metric == Metric::ip ? norm * target.largest_norm : norm;
  slack.relative = 0;
  slack.query += static_cast<float>(products * relative_error);
  return slack;
}

}  // namespace lookalike
