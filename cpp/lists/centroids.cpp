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

/// Writes at least `count` of the smallest distances' places into scratch.rows, and not many more; returns how many.
std::size_t pick_nearest(std::span<const float> distances, std::size_t count, RankingScratch& scratch) {
  // A limit that a sample suggests, and a higher one where that was too low.
  constexpr std::size_t sampled = 256;
  const std::size_t step = (distances.size() + sampled - 1) / sampled;
  scratch.sample.clear();
  for (std::size_t i = 0; i < distances.size(); i += step) scratch.sample.push_back(distances[i]);
  for (std::size_t least = count * scratch.sample.size() / distances.size() + 4; least < scratch.sample.size();
       least *= 2) {
    const float limit = approximate_kth(scratch.sample, least);
    const std::size_t found = kernels().find_not_above(distances.data(), distances.size(), limit, scratch.rows.data());
    if (found >= count) return found;
  }
  std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
  return distances.size();
}

}  // namespace

Centroids::Centroids(std::vector<float> centroids, const Encoder& encoder, Frame frame, std::vector<float> middle)
    : dim_(encoder.dim()),
      frame_(frame),
      middle_(std::move(middle)),
      projected_dim_(encoder.projected()),
      form_(encoder.in_width(centroid_width)),
      byte_stride_((dim_ + sizeof(CodeTail) + 63) / 64 * 64) {
  if (middle_.empty()) {
    middle_ = middle_of(centroids, dim_);
    for (std::size_t d = 0; d < dim_; ++d) middle_[d] += encoder.center()[d];
  }
  std::vector<std::uint32_t> all(centroids.size() / dim_);
  std::iota(all.begin(), all.end(), 0u);
  put(all, centroids, encoder);
}

void Centroids::put(std::span<const std::uint32_t> lists, std::span<const float> centroids, const Encoder& encoder) {
  std::vector<float> moved(centroids.begin(), centroids.end()), projected(lists.size() * projected_dim_);
  std::vector<float> shift(dim_);
  for (std::size_t d = 0; d < dim_; ++d) shift[d] = middle_[d] - encoder.center()[d];
  subtract_from_rows(moved, shift);
  const Encoder coarse = encoder.in_width(centroid_width);
  std::vector<std::byte> codes(lists.size() * coarse.stride());
  coarse.encode_centered(moved, codes.data(), projected);

  std::size_t count = this->count();
  for (const std::uint32_t list : lists) count = std::max<std::size_t>(count, list + 1);
  positions_.resize(count * dim_);
  projected_.resize(count * projected_dim_);
  if (frame_ == Frame::shared) {
    blocks_.resize(form_.bytes(count));
    bytes_.resize(count * byte_stride_);
  }
  SignedBytes rounded;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::size_t list = lists[i];
    const std::span<const float> centroid(moved.data() + i * dim_, dim_);
    std::copy_n(centroids.data() + i * dim_, dim_, positions_.data() + list * dim_);
    std::copy_n(projected.data() + i * projected_dim_, projected_dim_, projected_.data() + list * projected_dim_);
    if (frame_ == Frame::own) continue;
    form_.put(blocks_.mutable_data(), list, codes.data() + i * coarse.stride());
    rounded.assign(centroid, dim_);
    std::byte* const row = bytes_.mutable_data() + list * byte_stride_;
    for (std::size_t d = 0; d < dim_; ++d) row[d] = static_cast<std::byte>(rounded.bytes[d] + 128);
    const CodeTail tail = {static_cast<float>(square_of(centroid)), rounded.step};
    std::memcpy(row + byte_stride_ - sizeof tail, &tail, sizeof tail);
  }
}

std::size_t Centroids::bytes() const noexcept {
  return (positions_.size() + middle_.size() + projected_.size()) * sizeof(float) + blocks_.bytes_owned() +
         bytes_.bytes_owned();
}

void Centroids::subtract(std::size_t list, std::span<float> row, std::span<const float> center) const {
  const float* const centroid = positions_.data() + list * dim_;
  for (std::size_t d = 0; d < dim_; ++d) row[d] -= centroid[d] + center[d];
}

float Centroids::bias_of(const Encoder& encoder, const std::byte* code, std::size_t list) const {
  if (frame_ == Frame::own) return 0;
  return static_cast<float>(2 * encoder.product(code, projected_.data() + list * projected_dim_));
}

void Centroids::prepare(const Encoder& encoder, const BlockForm& form, std::span<const float> point, ListQuery& query,
                        RankingScratch& scratch) const {
  center(point, encoder, query);
  ListQuery* const centered = &query;
  finish(encoder, form, {&centered, 1}, scratch);
}

void Centroids::center(std::span<const float> point, const Encoder& encoder, ListQuery& query) const {
  query.centered.resize(dim_);
  for (std::size_t d = 0; d < dim_; ++d) query.centered[d] = point[d] - middle_[d];
  if (frame_ == Frame::shared)
    return query.bytes.assign(query.centered, byte_stride_);  // as `rank` reads them: more than a projection needs
  query.whole.resize(dim_);
  for (std::size_t d = 0; d < dim_; ++d) query.whole[d] = point[d] - encoder.center()[d];
}

void Centroids::finish(const Encoder& encoder, const BlockForm& form, std::span<ListQuery* const> centered,
                       RankingScratch& scratch) const {
  if (frame_ == Frame::own) {
    for (ListQuery* const query : centered) encoder.project(query->centered, query->projection);
    return;
  }
  const std::size_t room = encoder.projection_room();
  scratch.vectors.clear();
  for (const ListQuery* query : centered) scratch.vectors.push_back(&query->bytes);
  scratch.projections.resize(centered.size() * room);
  encoder.project(scratch.vectors, scratch.projection, scratch.projections.data());
  for (std::size_t i = 0; i < centered.size(); ++i) {
    ListQuery& query = *centered[i];
    const std::span<const float> projection(scratch.projections.data() + i * room, projected_dim_);
    query.scratch.assign(projection, (projected_dim_ + 63) / 64 * 64);
    query.codes = form.query(code_query(query.scratch, encoder.width()), query.words);
    query.centroid_codes = form_.query(code_query(query.scratch, centroid_width), query.centroid_words);
  }
}

double Centroids::lacking(const ListQuery& query) const { return frame_ == Frame::own ? 0 : square_of(query.centered); }

void Centroids::prepare_for_list(const Encoder& encoder, const BlockForm& form, const ListQuery& query,
                                 std::size_t list, ListQuery& aimed) const {
  aimed.centered.resize(projected_dim_);
  const float* const centroid = projected_.data() + list * projected_dim_;
  for (std::size_t i = 0; i < projected_dim_; ++i) aimed.centered[i] = query.projection[i] - centroid[i];
  aimed.scratch.assign(aimed.centered, (projected_dim_ + 63) / 64 * 64);
  aimed.codes = form.query(code_query(aimed.scratch, encoder.width()), aimed.words);
}

void Centroids::measure(const ListQuery& query, std::size_t count, RankingScratch& scratch) const {
  const std::size_t lists = this->count();
  scratch.rows.resize(lists);
  scratch.distances.resize(CodeBlock::needed(lists) * CodeBlock::rows);
  if (frame_ == Frame::own) {
    // Differences of floats, which are right however far all lie from zero.
    std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
    const std::span<const std::byte> rows = std::as_bytes(std::span(positions_));
    return kernels().squared_l2_f32.scan(query.whole.data(), rows.data(), dim_ * sizeof(float), lists, dim_,
                                         scratch.distances.data());
  }
  // By codes, with some to spare.
  const std::size_t seen = std::min(lists, count + count / 4 + 12);
  if (seen < lists) {
    form_.measure({&query.centroid_codes, 1}, blocks_.data(), CodeBlock::needed(lists), scratch.distances.data());
    scratch.rows.resize(pick_nearest({scratch.distances.data(), lists}, seen, scratch));
  } else {
    std::iota(scratch.rows.begin(), scratch.rows.end(), Row{0});
  }
  // Then as they are.
  const float shift = 2 * query.bytes.step * 128 * static_cast<float>(query.bytes.sum());
  kernels().dot_u8({query.bytes.bytes.data(), -2 * query.bytes.step, shift}, bytes_.data(), byte_stride_,
                   scratch.rows.data(), scratch.rows.size(), scratch.distances.data());
}

std::span<const Neighbor> Centroids::rank(const ListQuery& query, std::size_t count, std::size_t ordered,
                                          RankingScratch& scratch) const {
  count = std::min(count, this->count());
  measure(query, count, scratch);
  scratch.ranked.clear();
  for (std::size_t i = 0; i < scratch.rows.size(); ++i)
    scratch.ranked.push_back({scratch.rows[i], scratch.distances[i]});
  const auto is_nearer = [](const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  };
  const auto at = [&](std::size_t i) { return scratch.ranked.begin() + static_cast<std::ptrdiff_t>(i); };
  if (count < scratch.ranked.size()) std::nth_element(at(0), at(count), scratch.ranked.end(), is_nearer);
  std::partial_sort(at(0), at(std::min(count, ordered)), at(count), is_nearer);
  scratch.ranked.resize(count);
  return scratch.ranked;
}

}  // namespace lookalike
