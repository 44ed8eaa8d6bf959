#include "linalg/principal_directions.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/projection.hpp"

namespace lookalike {
namespace {

constexpr std::size_t block_size = 64;  // directions per block
constexpr int iterations = 2;

}  // namespace

PrincipalDirections::PrincipalDirections(std::span<const float> centered, std::size_t dim, std::uint64_t seed,
                                         unsigned threads)
    : dim_(dim),
      samples_(centered.size() / dim),
      threads_(threads),
      random_(seed),
      rows_(packed_rows(centered, dim, threads)),
      columns_(packed_columns(centered, dim, threads)) {}

std::span<const float> PrincipalDirections::leading(std::size_t count) {
  while (found_.size() < count * dim_) find_block(std::min(block_size, count - found_.size() / dim_));
  return std::span(found_).first(count * dim_);
}

void PrincipalDirections::find_block(std::size_t count) {
  std::vector<float> block(count * dim_), projected(count * samples_);
  for (float& x : block) x = random_.next() >> 63 ? 1.0f : -1.0f;
  for (int i = 0; i < iterations; ++i) {
    remove_found(block);
    orthonormalize_once(block, dim_);
    inner_products(block, rows_, dim_, threads_, projected);
    // Normalised, or the next product might overflow. Orthonormalising would take longer than all other steps.
    for (std::size_t j = 0; j < count; ++j) {
      const std::span<float> row = std::span(projected).subspan(j * samples_, samples_);
      const double square = squared_norm(row);
      scale_row(row, square > 0 ? 1 / std::sqrt(square) : 0);
    }
    inner_products(projected, columns_, samples_, threads_, block);
  }
  remove_found(block);
  orthonormalize_once(block, dim_);
  // The remainder of a linearly dependent row is rounding noise, which may have components along the other rows.
  remove_found(block);
  orthonormalize_once(block, dim_, 0.25);
  columns_found_.push_back(packed_columns(block, dim_, threads_));
  found_.insert(found_.end(), block.begin(), block.end());
}

void PrincipalDirections::remove_found(std::span<float> block) const {
  std::vector<float> along, correction(block.size());
  const float* before = found_.data();
  for (const RowPanels& columns : columns_found_) {
    const std::size_t size = columns.dim();
    along.resize(block.size() / dim_ * size);
    inner_products(block, {before, size * dim_}, dim_, threads_, along);
    inner_products(along, columns, size, threads_, correction);
    for (std::size_t i = 0; i < block.size(); ++i) block[i] -= correction[i];
    before += size * dim_;
  }
}

std::vector<float> principal_directions(std::span<const float> centered, std::size_t dim, std::size_t count,
                                        std::uint64_t seed, unsigned threads) {
  PrincipalDirections directions(centered, dim, seed, threads);
  const std::span<const float> found = directions.leading(count);
  return {found.begin(), found.end()};
}

}  // namespace lookalike
