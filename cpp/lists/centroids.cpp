#include "lists/centroids.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/dispatch.hpp"
#include "linalg/centered_sample.hpp"
#include "linalg/projection.hpp"
#include "topk/approximate_kth.hpp"

namespace lookalike {
namespace {

constexpr CodeWidth centroid_width = CodeWidth::four;

/// Writes the positions of the `count` smallest distances, and of a few more, to scratch.rows. Returns their number.
std::size_t select_nearest(std::span<const float> distances, std::size_t count, RankingScratch& scratch) {
  // The limit is a quantile of a sample. It is raised until enough distances are not above it.
  constexpr std::size_t sample_size = 256;
  const std::size_t step = (distances.size() + sample_size - 1) / sample_size;
  scratch.sample.clear();
  for (std::size_t i = 0; i < distances.size(); i += step) scratch.sample.push_back(distances[i]);
  for (std::size_t rank = count * scratch.sample.size() / distances.size() + 4; rank < scratch.sample.size();
       rank *= 2) {
    const float limit = approximate_kth(scratch.sample, rank);
    const std::size_t found = kernels().find_not_above(distances.data(), distances.size(), limit, scratch.rows.data());
    if (found >= count) return found;
  }
  std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
  return distances.size();
}

}  // namespace

Centroids::Centroids(std::vector<float> centroids, const Encoder& encoder, Frame frame, std::vector<float> origin)
    : dim_(encoder.dim()),
      frame_(frame),
      origin_(std::move(origin)),
      projected_dim_(encoder.projected_dim()),
      layout_(encoder.with_width(centroid_width)),
      quantized_stride_((dim_ + sizeof(CodeTail) + 63) / 64 * 64) {
  if (origin_.empty()) {
    origin_ = coordinate_medians(centroids, dim_);
    for (std::size_t d = 0; d < dim_; ++d) origin_[d] += encoder.center()[d];
  }
  std::vector<std::uint32_t> all(centroids.size() / dim_);
  std::iota(all.begin(), all.end(), 0u);
  set(all, centroids, encoder);
}

void Centroids::set(std::span<const std::uint32_t> lists, std::span<const float> centroids, const Encoder& encoder) {
  std::vector<float> centered(centroids.begin(), centroids.end()), projected(lists.size() * projected_dim_);
  std::vector<float> shift(dim_);
  for (std::size_t d = 0; d < dim_; ++d) shift[d] = origin_[d] - encoder.center()[d];
  subtract_from_rows(centered, shift);
  const Encoder coarse_encoder = encoder.with_width(centroid_width);
  std::vector<std::byte> codes(lists.size() * coarse_encoder.stride());
  coarse_encoder.encode_centered(centered, codes.data(), projected);

  std::size_t count = this->count();
  for (const std::uint32_t list : lists) count = std::max<std::size_t>(count, list + 1);
  positions_.resize(count * dim_);
  projected_.resize(count * projected_dim_);
  if (frame_ == Frame::shared) {
    codes_.resize(layout_.bytes(count));
    quantized_.resize(count * quantized_stride_);
  }
  SignedBytes rounded;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::size_t list = lists[i];
    const std::span<const float> centroid(centered.data() + i * dim_, dim_);
    std::copy_n(centroids.data() + i * dim_, dim_, positions_.data() + list * dim_);
    std::copy_n(projected.data() + i * projected_dim_, projected_dim_, projected_.data() + list * projected_dim_);
    if (frame_ == Frame::per_list) continue;
    layout_.pack(codes_.mutable_data(), list, codes.data() + i * coarse_encoder.stride());
    rounded.assign(centroid, dim_);
    std::byte* const row = quantized_.mutable_data() + list * quantized_stride_;
    for (std::size_t d = 0; d < dim_; ++d) row[d] = static_cast<std::byte>(rounded.bytes[d] + 128);
    const CodeTail tail = {static_cast<float>(squared_norm(centroid)), rounded.step};
    std::memcpy(row + quantized_stride_ - sizeof tail, &tail, sizeof tail);
  }
}

std::size_t Centroids::bytes() const noexcept {
  return (positions_.size() + origin_.size() + projected_.size()) * sizeof(float) + codes_.bytes_owned() +
         quantized_.bytes_owned();
}

void Centroids::subtract_from(std::size_t list, std::span<float> row, std::span<const float> center) const {
  const float* const centroid = positions_.data() + list * dim_;
  for (std::size_t d = 0; d < dim_; ++d) row[d] -= centroid[d] + center[d];
}

float Centroids::bias_of(const Encoder& encoder, const std::byte* code, std::size_t list) const {
  if (frame_ == Frame::per_list) return 0;
  return static_cast<float>(2 * encoder.inner_product(code, projected_.data() + list * projected_dim_));
}

void Centroids::prepare(const Encoder& encoder, const BlockLayout& layout, std::span<const float> point,
                        ListQuery& query, RankingScratch& scratch) const {
  center_query(point, encoder, query);
  ListQuery* const centered = &query;
  project_queries(encoder, layout, {&centered, 1}, scratch);
}

void Centroids::center_query(std::span<const float> point, const Encoder& encoder, ListQuery& query) const {
  query.centered.resize(dim_);
  for (std::size_t d = 0; d < dim_; ++d) query.centered[d] = point[d] - origin_[d];
  if (frame_ == Frame::shared)
    return query.quantized.assign(query.centered, quantized_stride_);  // padded for dot_u8, which `rank` calls
  query.shifted.resize(dim_);
  for (std::size_t d = 0; d < dim_; ++d) query.shifted[d] = point[d] - encoder.center()[d];
}

void Centroids::project_queries(const Encoder& encoder, const BlockLayout& layout, std::span<ListQuery* const> centered,
                                RankingScratch& scratch) const {
  if (frame_ == Frame::per_list) {
    for (ListQuery* const query : centered) encoder.project(query->centered, query->projection);
    return;
  }
  const std::size_t stride = encoder.padded_projection_dim();
  scratch.queries.clear();
  for (const ListQuery* query : centered) scratch.queries.push_back(&query->quantized);
  scratch.projections.resize(centered.size() * stride);
  encoder.project(scratch.queries, scratch.projection, scratch.projections.data());
  for (std::size_t i = 0; i < centered.size(); ++i) {
    ListQuery& query = *centered[i];
    const std::span<const float> projection(scratch.projections.data() + i * stride, projected_dim_);
    query.quantized_projection.assign(projection, (projected_dim_ + 63) / 64 * 64);
    query.block_query = layout.query(code_query(query.quantized_projection, encoder.width()), query.block_words);
    query.centroid_block_query =
        layout_.query(code_query(query.quantized_projection, centroid_width), query.centroid_block_words);
  }
}

double Centroids::omitted_squared_norm(const ListQuery& query) const {
  return frame_ == Frame::per_list ? 0 : squared_norm(query.centered);
}

void Centroids::prepare_list_query(const Encoder& encoder, const BlockLayout& layout, const ListQuery& query,
                                   std::size_t list, ListQuery& list_query) const {
  list_query.residual.resize(projected_dim_);
  const float* const centroid = projected_.data() + list * projected_dim_;
  for (std::size_t i = 0; i < projected_dim_; ++i) list_query.residual[i] = query.projection[i] - centroid[i];
  list_query.quantized_projection.assign(list_query.residual, (projected_dim_ + 63) / 64 * 64);
  list_query.block_query =
      layout.query(code_query(list_query.quantized_projection, encoder.width()), list_query.block_words);
}

void Centroids::estimate_distances(const ListQuery& query, std::size_t count, RankingScratch& scratch) const {
  const std::size_t lists = this->count();
  scratch.rows.resize(lists);
  scratch.distances.resize(CodeBlock::needed(lists) * CodeBlock::rows);
  if (frame_ == Frame::per_list) {
    // Float differences stay precise even if all centroids are far from the origin.
    std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
    const std::span<const std::byte> rows = std::as_bytes(std::span(positions_));
    return kernels().squared_l2_f32.scan(query.shifted.data(), rows.data(), dim_ * sizeof(float), lists, dim_,
                                         scratch.distances.data());
  }
  // Codes select somewhat more candidates than requested, because they are coarse.
  const std::size_t candidates = std::min(lists, count + count / 4 + 12);
  if (candidates < lists) {
    layout_.scan({&query.centroid_block_query, 1}, codes_.data(), CodeBlock::needed(lists), scratch.distances.data());
    scratch.rows.resize(select_nearest({scratch.distances.data(), lists}, candidates, scratch));
  } else {
    std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
  }
  // 8-bit values give the final distances of the candidates.
  const float shift = 2 * query.quantized.step * 128 * static_cast<float>(query.quantized.sum());
  kernels().dot_u8({query.quantized.bytes.data(), -2 * query.quantized.step, shift}, quantized_.data(),
                   quantized_stride_, scratch.rows.data(), scratch.rows.size(), scratch.distances.data());
}

std::span<const Neighbor> Centroids::rank(const ListQuery& query, std::size_t count, std::size_t ordered,
                                          RankingScratch& scratch) const {
  count = std::min(count, this->count());
  estimate_distances(query, count, scratch);
  scratch.ranked.clear();
  for (std::size_t i = 0; i < scratch.rows.size(); ++i)
    scratch.ranked.push_back({scratch.rows[i], scratch.distances[i]});
  const auto is_nearer = [](const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  };
  const auto nth = [&](std::size_t i) { return scratch.ranked.begin() + static_cast<std::ptrdiff_t>(i); };
  if (count < scratch.ranked.size()) std::nth_element(nth(0), nth(count), scratch.ranked.end(), is_nearer);
  std::partial_sort(nth(0), nth(std::min(count, ordered)), nth(count), is_nearer);
  scratch.ranked.resize(count);
  return scratch.ranked;
}

}  // namespace lookalike
