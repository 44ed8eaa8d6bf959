#include "quant/encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "kernels/table.hpp"
#include "linalg/centered_sample.hpp"
#include "linalg/principal_directions.hpp"
#include "linalg/projection.hpp"

namespace lookalike {
namespace {

constexpr float residual_weight = 0.5f;  // of the squared norm outside the projection, in the estimated distance
constexpr float min_peak = 1e-35f;       // smaller values count as 0: the inverse of their step would overflow
constexpr std::size_t max_stride = 1 << 20;

template <auto kernel>
void gather_codes(const Scorer& s, const Row* picks, std::size_t count, float* out) noexcept {
  const CodeQuery query = {static_cast<const std::int8_t*>(s.query), s.scale, s.shift};
  (kernels().*kernel)(query, s.rows, s.stride, picks, count, out);
}

/// The value of code 0 is minus this many steps.
float offset_of(CodeWidth width) {
  switch (width) {
    case CodeWidth::eight: return 128;
    case CodeWidth::four: return 7.5f;
    case CodeWidth::two: return 1.5f;
    case CodeWidth::one: return 0.5f;
  }
  return 0;
}

void write_code(std::byte* row, CodeWidth width, std::size_t i, unsigned code) {
  const std::size_t bits = static_cast<std::size_t>(width), at = i * bits;
  row[at / 8] |= static_cast<std::byte>(code << (at % 8));
}

unsigned read_code(const std::byte* row, CodeWidth width, std::size_t i) {
  const std::size_t bits = static_cast<std::size_t>(width), at = i * bits;
  return static_cast<unsigned>(row[at / 8]) >> (at % 8) & ((1u << bits) - 1);
}

float max_magnitude(std::span<const float> values) {
  float peak = 0;
  for (const float value : values) peak = std::max(peak, std::fabs(value));
  return peak;
}

/// The step for a row's coordinates; 0 if all are 0, and then every code decodes to 0.
float step_of(CodeWidth width, std::span<const float> values) {
  const float peak = max_magnitude(values);
  if (!(peak > min_peak)) return 0;
  if (width == CodeWidth::eight) return peak / 127;
  if (width == CodeWidth::four) return 2 * peak / 15;
  double square = 0, sum = 0;
  for (const float value : values) square += double{value} * value, sum += std::fabs(value);
  // The optimal step for normally distributed values [Max 1960, table 2].
  if (width == CodeWidth::two)
    return static_cast<float>(0.9957 * std::sqrt(square / static_cast<double>(values.size())));
  return static_cast<float>(2 * square / sum);
}

void write_codes(CodeWidth width, std::span<const float> values, float step, std::byte* row) {
  const float scale = step > 0 ? 1 / step : 0, offset = offset_of(width);
  const int max_code = (1 << static_cast<int>(width)) - 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int code = static_cast<int>(std::floor(values[i] * scale + offset + 0.5f));
    write_code(row, width, i,
               static_cast<unsigned>(width == CodeWidth::one ? values[i] > 0 : std::clamp(code, 0, max_code)));
  }
}

/// The factor for the step that makes a row's inner product with its decoded code equal its squared norm [Gao and Long
/// 2024, section 3.2]. Rounding and clipping change the length along the row, which would bias its distances to all
/// queries.
float step_correction(CodeWidth width, std::span<const float> values, float step, const std::byte* row) {
  const float offset = offset_of(width);
  double square = 0, product = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    square += double{values[i]} * values[i];
    product += double{values[i]} * (static_cast<float>(read_code(row, width, i)) - offset) * step;
  }
  return product > 0 ? static_cast<float>(square / product) : 1;
}

}  // namespace

CodeQuery code_query(const SignedBytes& projected, CodeWidth width) {
  const float shift = 2 * projected.step * offset_of(width) * static_cast<float>(projected.sum());
  return {projected.bytes.data(), -2 * projected.step, shift};
}

Encoder::Encoder(std::span<const float> sample, std::size_t dim, const CodeFormat& format, std::uint64_t seed,
                 unsigned threads)
    : dim_(dim),
      projected_dim_(kept_dims(dim, format)),
      stride_(format.stride),
      width_(format.width),
      is_inner_product_(format.inner_product) {
  CenteredSample centered({sample.begin(), sample.end()}, dim, threads);
  center_ = std::move(centered.mean);
  std::vector<float> leading;
  if (projected_dim_ < dim) leading = principal_directions(centered.rows, dim, projected_dim_, seed, threads);
  set_directions(leading, seed, threads);
}

Encoder::Encoder(std::vector<float> center, std::span<const float> leading, const CodeFormat& format,
                 std::uint64_t seed, unsigned threads)
    : dim_(center.size()),
      projected_dim_(kept_dims(dim_, format)),
      stride_(format.stride),
      width_(format.width),
      is_inner_product_(format.inner_product),
      center_(std::move(center)) {
  set_directions(leading, seed, threads);
}

void Encoder::set_directions(std::span<const float> leading, std::uint64_t seed, unsigned threads) {
  directions_ = random_rotation(projected_dim_, seed);
  if (!leading.empty()) {
    std::vector<float> columns(projected_dim_ * dim_), rotated(projected_dim_ * dim_);
    for (std::size_t i = 0; i < projected_dim_; ++i)
      for (std::size_t j = 0; j < dim_; ++j) columns[j * projected_dim_ + i] = leading[i * dim_ + j];
    inner_products(directions_, columns, projected_dim_, threads, rotated);
    directions_ = std::move(rotated);
  }
  byte_directions_ = ByteDirections(directions_, dim_);
}

void Encoder::encode(std::span<float> rows, std::byte* out) const {
  subtract_from_rows(rows, center_);
  encode_centered(rows, out);
}

void Encoder::encode_centered(std::span<const float> rows, std::byte* out, std::span<float> projections) const {
  const std::size_t count = rows.size() / dim_;
  if (count == 0) return;
  std::vector<float> own(projections.empty() ? count * projected_dim_ : 0);
  const std::span<float> projected = projections.empty() ? std::span(own) : projections;
  inner_products(rows, directions_, dim_, 1, projected);
  std::memset(out, 0, count * stride_);
  for (std::size_t r = 0; r < count; ++r) {
    const std::span<const float> values(projected.data() + r * projected_dim_, projected_dim_);
    const std::span<const float> row_values = rows.subspan(r * dim_, dim_);
    CodeTail tail;
    tail.step = step_of(width_, values);
    tail.bias = bias_of(row_values, values);
    std::byte* row = out + r * stride_;
    write_codes(width_, values, tail.step, row);
    tail.step *= step_correction(width_, values, tail.step, row);
    std::memcpy(row + stride_ - sizeof tail, &tail, sizeof tail);
  }
}

// For a row x = r + c with center c and a query q, |x - q|^2 = |r|^2 - 2 <r, q - c> + |q - c|^2, and
// -2 <x, q> = -2 <r, c> - 2 <r, q - c> - 2 <c, q>. The bias is the first term; the last one is the same for all rows.
float Encoder::bias_of(std::span<const float> centered, std::span<const float> projected) const {
  if (is_inner_product_) {
    double product = 0;
    for (std::size_t d = 0; d < dim_; ++d) product += double{centered[d]} * center_[d];
    return static_cast<float>(-2 * product);
  }
  const double square = squared_norm(centered), kept = squared_norm(projected);
  return static_cast<float>(kept + residual_weight * std::max(0.0, square - kept));
}

double Encoder::inner_product(const std::byte* code, const float* projected) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  const float offset = offset_of(width_);
  float sum = 0;
  for (std::size_t i = 0; i < projected_dim_; ++i)
    sum += (static_cast<float>(read_code(code, width_, i)) - offset) * projected[i];
  return double{tail.step} * sum;
}

void Encoder::project(std::span<const float> centered, std::vector<float>& out) const {
  out.resize(projected_dim_);
  const std::span<const std::byte> rows = std::as_bytes(std::span(directions_));
  kernels().inner_product_f32.scan(centered.data(), rows.data(), dim_ * sizeof(float), projected_dim_, dim_,
                                   out.data());
  for (float& product : out) product = -product;  // the kernel returns negated inner products
}

void Encoder::decode(const std::byte* code, float* out) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  std::fill_n(out, dim_, 0.0f);
  for (std::size_t i = 0; i < projected_dim_; ++i) {
    const float value = (static_cast<float>(read_code(code, width_, i)) - offset_of(width_)) * tail.step;
    for (std::size_t d = 0; d < dim_; ++d) out[d] += value * directions_[i * dim_ + d];
  }
}

float Encoder::distance_offset(const std::byte* code) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  double square = 0;
  for (std::size_t i = 0; i < projected_dim_; ++i) {
    const double value = (read_code(code, width_, i) - double{offset_of(width_)}) * tail.step;
    square += value * value;
  }
  return static_cast<float>(tail.bias - square);
}

void Encoder::add_distance_offset(std::byte* code, float square) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  tail.bias += square;
  std::memcpy(code + stride_ - sizeof tail, &tail, sizeof tail);
}

Encoder Encoder::with_width(CodeWidth width) const {
  Encoder other = *this;
  other.width_ = width;
  other.stride_ = (projected_dim_ * static_cast<std::size_t>(width) / 8 + sizeof(CodeTail) + 64) / 64 * 64;
  return other;
}

Scorer Encoder::scorer(const std::byte* rows, const CodeQuery& query) const {
  Scorer scorer;
  switch (width_) {
    case CodeWidth::eight: scorer.gather = gather_codes<&KernelTable::dot_u8>; break;
    case CodeWidth::four: scorer.gather = gather_codes<&KernelTable::dot_u4>; break;
    case CodeWidth::two: scorer.gather = gather_codes<&KernelTable::dot_u2>; break;
    case CodeWidth::one: scorer.gather = gather_codes<&KernelTable::dot_u1>; break;
  }
  scorer.rows = rows;
  scorer.stride = stride_;
  scorer.dim = projected_dim_;
  scorer.query = query.values;
  scorer.scale = query.scale;
  scorer.shift = query.shift;
  return scorer;
}

Scorer Encoder::query_scorer(const float* values, const std::byte* rows, ScorerScratch& scratch) const {
  scratch.floats.resize(dim_ + padded_projection_dim());
  float* const projected = scratch.floats.data() + dim_;
  for (std::size_t i = 0; i < dim_; ++i) scratch.floats[i] = values[i] - center_[i];
  scratch.bytes.assign({scratch.floats.data(), dim_}, padded_dim());
  const SignedBytes* const centered = &scratch.bytes;
  project({&centered, 1}, scratch.projection, projected);
  scratch.bytes.assign({projected, projected_dim_}, padded_query_size());
  return scorer(rows, code_query(scratch.bytes, width_));
}

Scorer Encoder::row_scorer(Row row, const std::byte* rows, ScorerScratch& scratch) const {
  const std::byte* const own = rows + row * stride_;
  CodeTail tail;
  std::memcpy(&tail, own + stride_ - sizeof tail, sizeof tail);
  scratch.bytes.bytes.assign(padded_query_size(), 0);
  // In half steps, so that decoded values are integers: 2 * code - 15, - 3 or - 1.
  const bool half_steps = width_ != CodeWidth::eight;
  const int factor = half_steps ? 2 : 1;
  const int center_code = half_steps ? static_cast<int>(2 * offset_of(width_)) : 128;
  for (std::size_t i = 0; i < projected_dim_; ++i)
    scratch.bytes.bytes[i] =
        static_cast<std::int8_t>(factor * static_cast<int>(read_code(own, width_, i)) - center_code);
  scratch.bytes.step = half_steps ? tail.step / 2 : tail.step;
  Scorer result = scorer(rows, code_query(scratch.bytes, width_));
  result.offset = tail.bias;
  return result;
}

void Encoder::save(FileWriter& file) const {
  file.value<std::uint8_t>("code_width", static_cast<std::uint8_t>(width_));
  file.value<std::uint64_t>("code_stride", stride_);
  if (is_inner_product_) file.value<std::uint8_t>("codes_measure_products", 1);
  file.array<float>("code_center", center_);
  file.array<float>("code_directions", directions_);
}

Encoder Encoder::load(const FileReader& file) {
  Encoder encoder;
  const auto width = file.value<std::uint8_t>("code_width");
  if (width != 1 && width != 2 && width != 4 && width != 8)
    throw CorruptFile("codes are " + std::to_string(width) + " bits wide");
  encoder.width_ = static_cast<CodeWidth>(width);
  encoder.stride_ = file.value<std::uint64_t>("code_stride");
  // Older versions wrote no such section; their codes estimate squared L2 distances.
  encoder.is_inner_product_ =
      file.contains("codes_measure_products") && file.value<std::uint8_t>("codes_measure_products") != 0;
  const Array<float> center = file.array<float>("code_center"), directions = file.array<float>("code_directions");
  encoder.center_.assign(center.begin(), center.end());
  encoder.directions_.assign(directions.begin(), directions.end());
  encoder.dim_ = center.size();
  if (encoder.dim_ == 0 || directions.size() % encoder.dim_ != 0 || encoder.stride_ == 0 || encoder.stride_ % 64 != 0 ||
      encoder.stride_ > max_stride) {
    throw CorruptFile("the codes' directions do not agree with their sizes");
  }
  encoder.projected_dim_ = directions.size() / encoder.dim_;
  if (encoder.projected_dim_ == 0 || encoder.projected_dim_ > max_dims(encoder.width_, encoder.stride_)) {
    throw CorruptFile("there are more directions than the codes have room for");
  }
  encoder.byte_directions_ = ByteDirections(encoder.directions_, encoder.dim_);
  return encoder;
}

}  // namespace lookalike
