#include "codes/code_plane.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t rows_per_task = 512;

void encode_into(const Encoder& encoder, const Plane& plane, unsigned threads, std::byte* out) {
  const std::size_t dim = plane.point_dim(), count = plane.rows.count;
  parallel_for((count + rows_per_task - 1) / rows_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * rows_per_task, rows = std::min(rows_per_task, count - first);
    std::vector<float> points(rows * dim);
    for (std::size_t i = 0; i < rows; ++i) plane.write_point(first + i, points.data() + i * dim);
    std::byte* const codes = out + first * encoder.stride();
    encoder.encode(points, codes);
    // Under cosine a zero vector is as far from all others as a right angle, and not as the centre of the sphere is.
    if (plane.metric != Metric::cosine) return;
    for (std::size_t i = 0; i < rows; ++i)
      if (plane.inverse_norms[first + i] == 0) encoder.lengthen(codes + i * encoder.stride(), 1);
  });
}

}  // namespace

std::optional<CodePlane> CodePlane::learn(const Plane& plane, std::optional<CodeWidth> width, std::uint64_t seed,
                                          unsigned threads) {
  const std::size_t count = plane.rows.count, dim = plane.point_dim();
  const CodeWidth any[] = {CodeWidth::eight, CodeWidth::four};
  const std::span<const CodeWidth> widths = width ? std::span(&*width, 1) : std::span<const CodeWidth>(any);
  std::optional<CodeForm> form = choose_codes(widths, plane, seed, threads);
  if (!form && width) {  // whoever forces codes gets them
    form = {*width, Encoder::whole_stride(*width, dim)};
    form->products = plane.metric == Metric::ip;
  }
  if (!form) return std::nullopt;
  const std::vector<float> sample = points_of(plane, evenly(count, most_learned), threads);
  CodePlane codes(Encoder(sample, dim, *form, seed, threads));
  codes.codes_ = codes.encode(plane, threads);
  return codes;
}

Array<std::byte> CodePlane::encode(const Plane& plane, unsigned threads) const {
  Array<std::byte> codes;
  codes.resize_for_overwrite(plane.rows.count * encoder_.stride());
  encode_into(encoder_, plane, threads, codes.mutable_data());
  return codes;
}

Extension<std::byte> CodePlane::grow(const Plane& plane, unsigned threads) {
  const std::size_t before = codes_.size();
  Extension<std::byte> extension(codes_, plane.rows.count * encoder_.stride());
  encode_into(encoder_, plane, threads, extension.data() + before);
  return extension;
}

void CodePlane::overwrite(Row row, const std::byte* code) noexcept {
  std::memcpy(codes_.mutable_data() + row * encoder_.stride(), code, encoder_.stride());
}

CodePlane CodePlane::picked(std::span<const Row> rows) const {
  CodePlane plane(encoder_);
  const std::size_t stride = encoder_.stride();
  plane.codes_.resize_for_overwrite(rows.size() * stride);
  std::byte* out = plane.codes_.mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(out + i * stride, codes_.data() + rows[i] * stride, stride);
  return plane;
}

void CodePlane::save(FileWriter& file) const {
  encoder_.save(file);
  file.array<std::byte>("walked_codes", codes_.span());
}

CodePlane CodePlane::load(const FileReader& file, std::size_t rows) {
  CodePlane plane(Encoder::load(file));
  plane.codes_ = file.array<std::byte>("walked_codes");
  if (plane.codes_.size() != rows * plane.encoder_.stride())
    throw CorruptFile("section 'walked_codes' is not one code a row");
  return plane;
}

}  // namespace lookalike
