#include "quant/quantized_rows.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/errors.hpp"
#include "runtime/parallel.hpp"

namespace lookalike {
namespace {

constexpr std::size_t encoded_per_task = 512;

void encode_into(const Encoder& encoder, const MetricSpace& space, unsigned threads, std::byte* out) {
  const std::size_t dim = space.point_dim(), count = space.rows.count;
  parallel_for((count + encoded_per_task - 1) / encoded_per_task, threads, [&](std::size_t task, unsigned) {
    const std::size_t first = task * encoded_per_task, rows = std::min(encoded_per_task, count - first);
    std::vector<float> points(rows * dim);
    for (std::size_t i = 0; i < rows; ++i) space.write_point(first + i, points.data() + i * dim);
    std::byte* const codes = out + first * encoder.stride();
    encoder.encode(points, codes);
    // The cosine of a zero vector is 0 to every query, so its squared distance is 2. The origin's is only 1.
    if (space.metric != Metric::cosine) return;
    for (std::size_t i = 0; i < rows; ++i)
      if (space.inverse_norms[first + i] == 0) encoder.add_distance_offset(codes + i * encoder.stride(), 1);
  });
}

}  // namespace

std::optional<QuantizedRows> QuantizedRows::train(const MetricSpace& space, std::optional<CodeWidth> width,
                                                  std::uint64_t seed, unsigned threads) {
  const std::size_t count = space.rows.count, dim = space.point_dim();
  const CodeWidth any[] = {CodeWidth::eight, CodeWidth::four};
  const std::span<const CodeWidth> widths = width ? std::span(&*width, 1) : std::span<const CodeWidth>(any);
  std::optional<CodeFormat> format = choose_codes(widths, space, seed, threads);
  if (!format && width) {  // the width is forced: recall does not matter
    format = {*width, Encoder::full_dim_stride(*width, dim)};
    format->inner_product = space.metric == Metric::ip;
  }
  if (!format) return std::nullopt;
  const std::vector<float> sample = points_of(space, evenly_spaced_rows(count, max_training_rows), threads);
  QuantizedRows codes(Encoder(sample, dim, *format, seed, threads));
  codes.codes_ = codes.encode(space, threads);
  return codes;
}

Array<std::byte> QuantizedRows::encode(const MetricSpace& space, unsigned threads) const {
  Array<std::byte> codes;
  codes.resize_for_overwrite(space.rows.count * encoder_.stride());
  encode_into(encoder_, space, threads, codes.mutable_data());
  return codes;
}

Extension<std::byte> QuantizedRows::grow(const MetricSpace& space, unsigned threads) {
  const std::size_t before = codes_.size();
  Extension<std::byte> extension(codes_, space.rows.count * encoder_.stride());
  encode_into(encoder_, space, threads, extension.data() + before);
  return extension;
}

void QuantizedRows::overwrite(Row row, const std::byte* code) noexcept {
  std::memcpy(codes_.mutable_data() + row * encoder_.stride(), code, encoder_.stride());
}

QuantizedRows QuantizedRows::subset(std::span<const Row> rows) const {
  QuantizedRows subset(encoder_);
  const std::size_t stride = encoder_.stride();
  subset.codes_.resize_for_overwrite(rows.size() * stride);
  std::byte* out = subset.codes_.mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) std::memcpy(out + i * stride, codes_.data() + rows[i] * stride, stride);
  return subset;
}

void QuantizedRows::save(FileWriter& file) const {
  encoder_.save(file);
  file.array<std::byte>("walked_codes", codes_.span());
}

QuantizedRows QuantizedRows::load(const FileReader& file, std::size_t rows) {
  QuantizedRows loaded(Encoder::load(file));
  loaded.codes_ = file.array<std::byte>("walked_codes");
  if (loaded.codes_.size() != rows * loaded.encoder_.stride())
    throw CorruptFile("section 'walked_codes' does not hold one code per row");
  return loaded;
}

}  // namespace lookalike
