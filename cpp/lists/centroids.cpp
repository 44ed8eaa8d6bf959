#include "lists/centroids.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "codes/centered_sample.hpp"
#include "codes/projection.hpp"
#include "kernels/dispatch.hpp"
#include "select/admitting_limit.hpp"

namespace lookalike {
namespace {

constexpr CodeWidth centroid_width = CodeWidth::four;

/// Writes at least `count` of the smallest distances' places into space.rows, and not many more; returns how many.
std::size_t pick_nearest(std::span<const float> distances, std::size_t count, RankingSpace& space) {
  // A limit that a sample suggests, and a higher one where that was too low.
  constexpr std::size_t sampled = 256;
  const std::size_t step = (distances.size() + sampled - 1) / sampled;
  space.sample.clear();
  for (std::size_t i = 0; i < distances.size(); i += step) space.sample.push_back(distances[i]);
  for (std::size_t least = count * space.sample.size() / distances.size() + 4; least < space.sample.size();
       least *= 2) {
    const float limit = admitting_limit(space.sample, least);
    const std::size_t found = kernels().find_not_above(distances.data(), distances.size(), limit, space.rows.data());
    if (found >= count) return found;
  }
  std::iota(space.rows.begin(), space.rows.end(), Row{0});
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
                        RankingSpace& space) const {
  center(point, encoder, query);
  ListQuery* const centered = &query;
  finish(encoder, form, {&centered, 1}, space);
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
                       RankingSpace& space) const {
  if (frame_ == Frame::own) {
    for (ListQuery* const query : centered) encoder.project(query->centered, query->projection);
    return;
  }
  const std::size_t room = encoder.projection_room();
  space.vectors.clear();
  for (const ListQuery* query : centered) space.vectors.push_back(&query->bytes);
  space.projections.resize(centered.size() * room);
  encoder.project(space.vectors, space.projection, space.projections.data());
  for (std::size_t i = 0; i < centered.size(); ++i) {
    ListQuery& query = *centered[i];
    const std::span<const float> projection(space.projections.data() + i * room, projected_dim_);
    query.space.assign(projection, (projected_dim_ + 63) / 64 * 64);
    query.codes = form.query(code_query(query.space, encoder.width()), query.words);
    query.centroid_codes = form_.query(code_query(query.space, centroid_width), query.centroid_words);
  }
}

double Centroids::lacking(const ListQuery& query) const { return frame_ == Frame::own ? 0 : square_of(query.centered); }

void Centroids::aim(const Encoder& encoder, const BlockForm& form, const ListQuery& query, std::size_t list,
                    ListQuery& aimed) const {
  aimed.centered.resize(projected_dim_);
  const float* const centroid = projected_.data() + list * projected_dim_;
  for (std::size_t i = 0; i < projected_dim_; ++i) aimed.centered[i] = query.projection[i] - centroid[i];
  aimed.space.assign(aimed.centered, (projected_dim_ + 63) / 64 * 64);
  aimed.codes = form.query(code_query(aimed.space, encoder.width()), aimed.words);
}

void Centroids::measure(const ListQuery& query, std::size_t count, RankingSpace& space) const {
  const std::size_t lists = this->count();
  space.rows.resize(lists);
  space.distances.resize(CodeBlock::needed(lists) * CodeBlock::rows);
  if (frame_ == Frame::own) {
    // Differences of floats, which are right however far all lie from zero.
    std::iota(space.rows.begin(), space.rows.end(), Row{0});
    const std::span<const std::byte> rows = std::as_bytes(std::span(positions_));
    return kernels().squared_l2_f32.scan(query.whole.data(), rows.data(), dim_ * sizeof(float), lists, dim_,
                                         space.distances.data());
  }
  // By codes, with some to spare.
  const std::size_t seen = std::min(lists, count + count / 4 + 12);
  if (seen < lists) {
    form_.measure({&query.centroid_codes, 1}, blocks_.data(), CodeBlock::needed(lists), space.distances.data());
    space.rows.resize(pick_nearest({space.distances.data(), lists}, seen, space));
  } else {
    std::iota(space.rows.begin(), space.rows.end(), Row{0});
  }
  // Then as they are.
  const float shift = 2 * query.bytes.step * 128 * static_cast<float>(query.bytes.sum());
  kernels().octets({query.bytes.bytes.data(), -2 * query.bytes.step, shift}, bytes_.data(), byte_stride_,
                   space.rows.data(), space.rows.size(), space.distances.data());
}

std::span<const Neighbor> Centroids::rank(const ListQuery& query, std::size_t count, std::size_t ordered,
                                          RankingSpace& space) const {
  count = std::min(count, this->count());
  measure(query, count, space);
  space.ranked.clear();
  for (std::size_t i = 0; i < space.rows.size(); ++i) space.ranked.push_back({space.rows[i], space.distances[i]});
  const auto is_nearer = [](const Neighbor& a, const Neighbor& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.row < b.row);
  };
  const auto at = [&](std::size_t i) { return space.ranked.begin() + static_cast<std::ptrdiff_t>(i); };
  if (count < space.ranked.size()) std::nth_element(at(0), at(count), space.ranked.end(), is_nearer);
  std::partial_sort(at(0), at(std::min(count, ordered)), at(count), is_nearer);
  space.ranked.resize(count);
  return space.ranked;
}

}  // namespace lookalike
