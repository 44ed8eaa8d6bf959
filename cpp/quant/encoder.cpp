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

constexpr float residual_weight = 0.5f;
constexpr float least_peak = 1e-35f;  // less is nothing: one over its step would not be a float
constexpr std::size_t max_stride = 1 << 20;

template <auto kernel>
void gather_codes(const Scorer& s, const Row* picks, std::size_t count, float* out) noexcept {
  const CodeQuery query = {static_cast<const std::int8_t*>(s.query), s.scale, s.shift};
  (kernels().*kernel)(query, s.rows, s.stride, picks, count, out);
}

/// What the code 0 stands for, in steps below zero.
float offset_of(CodeWidth width) {
  switch (width) {
    case CodeWidth::eight: return 128;
    case CodeWidth::four: return 7.5f;
    case CodeWidth::two: return 1.5f;
    case CodeWidth::one: return 0.5f;
  }
  return 0;
}

void put(std::byte* row, CodeWidth width, std::size_t i, unsigned code) {
  const std::size_t bits = static_cast<std::size_t>(width), at = i * bits;
  row[at / 8] |= static_cast<std::byte>(code << (at % 8));
}

unsigned get(const std::byte* row, CodeWidth width, std::size_t i) {
  const std::size_t bits = static_cast<std::size_t>(width), at = i * bits;
  return static_cast<unsigned>(row[at / 8]) >> (at % 8) & ((1u << bits) - 1);
}

/// The largest magnitude.
float peak_of(std::span<const float> values) {
  float peak = 0;
  for (const float value : values) peak = std::max(peak, std::fabs(value));
  return peak;
}

/// The step that serves a row's coordinates. 0 where they are: every code then stands for 0.
float step_of(CodeWidth width, std::span<const float> values) {
  const float peak = peak_of(values);
  if (!(peak > least_peak)) return 0;
  if (width == CodeWidth::eight) return peak / 127;
  if (width == CodeWidth::four) return 2 * peak / 15;
  double square = 0, sum = 0;
  for (const float value : values) square += double{value} * value, sum += std::fabs(value);
  // What suits normally distributed values best [Max 1960, table 2].
  if (width == CodeWidth::two)
    return static_cast<float>(0.9957 * std::sqrt(square / static_cast<double>(values.size())));
  return static_cast<float>(2 * square / sum);
}

void write_codes(CodeWidth width, std::span<const float> values, float step, std::byte* row) {
  const float scale = step > 0 ? 1 / step : 0, offset = offset_of(width);
  const int most = (1 << static_cast<int>(width)) - 1;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int code = static_cast<int>(std::floor(values[i] * scale + offset + 0.5f));
    put(row, width, i, static_cast<unsigned>(width == CodeWidth::one ? values[i] > 0 : std::clamp(code, 0, most)));
  }
}

/// What makes a row's product with its own code the square of its length [Gao and Long 2024, section 3.2]: codes
/// rounded and clipped are too short along the row on some rows and too long on others, which misleads all queries.
float stretch_of(CodeWidth width, std::span<const float> values, float step, const std::byte* row) {
  const float offset = offset_of(width);
  double square = 0, product = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    square += double{values[i]} * values[i];
    product += double{values[i]} * (static_cast<float>(get(row, width, i)) - offset) * step;
  }
  return product > 0 ? static_cast<float>(square / product) : 1;
}

}  // namespace

CodeQuery code_query(const SignedBytes& projected, CodeWidth width) {
  const float shift = 2 * projected.step * offset_of(width) * static_cast<float>(projected.sum());
  return {projected.bytes.data(), -2 * projected.step, shift};
}

Encoder::Encoder(std::span<const float> sample, std::size_t dim, const CodeForm& form, std::uint64_t seed,
                 unsigned threads)
    : dim_(dim), projected_(kept(dim, form)), stride_(form.stride), width_(form.width), products_(form.products) {
  CenteredSample centered({sample.begin(), sample.end()}, dim, threads);
  center_ = std::move(centered.mean);
  std::vector<float> leading;
  if (projected_ < dim) leading = principal_directions(centered.rows, dim, projected_, seed, threads);
  rotate(leading, seed, threads);
}

Encoder::Encoder(std::vector<float> center, std::span<const float> leading, const CodeForm& form, std::uint64_t seed,
                 unsigned threads)
    : dim_(center.size()),
      projected_(kept(dim_, form)),
      stride_(form.stride),
      width_(form.width),
      products_(form.products),
      center_(std::move(center)) {
  rotate(leading, seed, threads);
}

void Encoder::rotate(std::span<const float> leading, std::uint64_t seed, unsigned threads) {
  directions_ = random_rotation(projected_, seed);
  if (!leading.empty()) {
    std::vector<float> columns(projected_ * dim_), rotated(projected_ * dim_);
    for (std::size_t i = 0; i < projected_; ++i)
      for (std::size_t j = 0; j < dim_; ++j) columns[j * projected_ + i] = leading[i * dim_ + j];
    products(directions_, columns, projected_, threads, rotated);
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
  std::vector<float> own(projections.empty() ? count * projected_ : 0);
  const std::span<float> projected = projections.empty() ? std::span(own) : projections;
  products(rows, directions_, dim_, 1, projected);
  std::memset(out, 0, count * stride_);
  for (std::size_t r = 0; r < count; ++r) {
    const std::span<const float> values(projected.data() + r * projected_, projected_);
    const std::span<const float> row_values = rows.subspan(r * dim_, dim_);
    CodeTail tail;
    tail.step = step_of(width_, values);
    tail.bias = bias_of(row_values, values);
    std::byte* row = out + r * stride_;
    write_codes(width_, values, tail.step, row);
    tail.step *= stretch_of(width_, values, tail.step, row);
    std::memcpy(row + stride_ - sizeof tail, &tail, sizeof tail);
  }
}

// Of a row x = r + c, c the centre, and a query q: |x - q|^2 = |r|^2 - 2 <r, q - c> + |q - c|^2, of which the last is
// the same for all rows; and -2 <x, q> = -2 <r, c> - 2 <r, q - c> - 2 <c, q>, of which it is also the last.
float Encoder::bias_of(std::span<const float> centered, std::span<const float> projected) const {
  if (products_) {
    double product = 0;
    for (std::size_t d = 0; d < dim_; ++d) product += double{centered[d]} * center_[d];
    return static_cast<float>(-2 * product);
  }
  const double whole = square_of(centered), kept = square_of(projected);
  return static_cast<float>(kept + residual_weight * std::max(0.0, whole - kept));
}

double Encoder::product(const std::byte* code, const float* projected) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  const float offset = offset_of(width_);
  float sum = 0;
  for (std::size_t i = 0; i < projected_; ++i)
    sum += (static_cast<float>(get(code, width_, i)) - offset) * projected[i];
  return double{tail.step} * sum;
}

void Encoder::project(std::span<const float> centered, std::vector<float>& out) const {
  out.resize(projected_);
  const std::span<const std::byte> rows = std::as_bytes(std::span(directions_));
  kernels().inner_product_f32.scan(centered.data(), rows.data(), dim_ * sizeof(float), projected_, dim_, out.data());
  for (float& product : out) product = -product;  // kernels negate them
}

void Encoder::decode(const std::byte* code, float* out) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  std::fill_n(out, dim_, 0.0f);
  for (std::size_t i = 0; i < projected_; ++i) {
    const float value = (static_cast<float>(get(code, width_, i)) - offset_of(width_)) * tail.step;
    for (std::size_t d = 0; d < dim_; ++d) out[d] += value * directions_[i * dim_ + d];
  }
}

float Encoder::beyond(const std::byte* code) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  double square = 0;
  for (std::size_t i = 0; i < projected_; ++i) {
    const double value = (get(code, width_, i) - double{offset_of(width_)}) * tail.step;
    square += value * value;
  }
  return static_cast<float>(tail.bias - square);
}

void Encoder::lengthen(std::byte* code, float square) const {
  CodeTail tail;
  std::memcpy(&tail, code + stride_ - sizeof tail, sizeof tail);
  tail.bias += square;
  std::memcpy(code + stride_ - sizeof tail, &tail, sizeof tail);
}

Encoder Encoder::in_width(CodeWidth width) const {
  Encoder other = *this;
  other.width_ = width;
  other.stride_ = (projected_ * static_cast<std::size_t>(width) / 8 + sizeof(CodeTail) + 64) / 64 * 64;
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
  scorer.dim = projected_;
  scorer.query = query.values;
  scorer.scale = query.scale;
  scorer.shift = query.shift;
  return scorer;
}

Scorer Encoder::from_query(const float* values, const std::byte* rows, ScorerScratch& scratch) const {
  scratch.scratch.resize(dim_ + projection_room());
  float* const projected = scratch.scratch.data() + dim_;
  for (std::size_t i = 0; i < dim_; ++i) scratch.scratch[i] = values[i] - center_[i];
  scratch.bytes.assign({scratch.scratch.data(), dim_}, byte_room());
  const SignedBytes* const centered = &scratch.bytes;
  project({&centered, 1}, scratch.projection, projected);
  scratch.bytes.assign({projected, projected_}, query_room());
  return scorer(rows, code_query(scratch.bytes, width_));
}

Scorer Encoder::from_row(Row row, const std::byte* rows, ScorerScratch& scratch) const {
  const std::byte* const own = rows + row * stride_;
  CodeTail tail;
  std::memcpy(&tail, own + stride_ - sizeof tail, sizeof tail);
  scratch.bytes.bytes.assign(query_room(), 0);
  // Half steps, so that the middle between two codes is a whole number: 2 * code - 15, - 3 or - 1.
  const bool halves = width_ != CodeWidth::eight;
  const int factor = halves ? 2 : 1;
  const int middle = halves ? static_cast<int>(2 * offset_of(width_)) : 128;
  for (std::size_t i = 0; i < projected_; ++i)
    scratch.bytes.bytes[i] = static_cast<std::int8_t>(factor * static_cast<int>(get(own, width_, i)) - middle);
  scratch.bytes.step = halves ? tail.step / 2 : tail.step;
  Scorer result = scorer(rows, code_query(scratch.bytes, width_));
  result.origin = tail.bias;
  return result;
}

void Encoder::save(FileWriter& file) const {
  file.value<std::uint8_t>("code_width", static_cast<std::uint8_t>(width_));
  file.value<std::uint64_t>("code_stride", stride_);
  if (products_) file.value<std::uint8_t>("codes_measure_products", 1);
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
  // Files of versions before it was known hold no such codes.
  encoder.products_ =
      file.contains("codes_measure_products") && file.value<std::uint8_t>("codes_measure_products") != 0;
  const Array<float> center = file.array<float>("code_center"), directions = file.array<float>("code_directions");
  encoder.center_.assign(center.begin(), center.end());
  encoder.directions_.assign(directions.begin(), directions.end());
  encoder.dim_ = center.size();
  if (encoder.dim_ == 0 || directions.size() % encoder.dim_ != 0 || encoder.stride_ == 0 || encoder.stride_ % 64 != 0 ||
      encoder.stride_ > max_stride) {
    throw CorruptFile("the codes' directions do not agree with their sizes");
  }
  encoder.projected_ = directions.size() / encoder.dim_;
  if (encoder.projected_ == 0 || encoder.projected_ > room(encoder.width_, encoder.stride_)) {
    throw CorruptFile("there are more directions than the codes have room for");
  }
  encoder.byte_directions_ = ByteDirections(encoder.directions_, encoder.dim_);
  return encoder;
}

}  // namespace lookalike
