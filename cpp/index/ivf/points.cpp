#include "index/ivf/points.hpp"

#include <algorithm>
#include <optional>

namespace lookalike {

PointSource::PointSource(const Rows& rows, const IvfLists& lists, Change* replacements)
    : lists_(lists), first_stored_(rows.store().dropped_rows()), stored_(lists.space(rows)), replacements_(stored_) {
  if (replacements) {
    replacements_.rows = replacements->replacements();
    replacements_.inverse_norms = replacements->replacement_inverse_norms().data();
    for (const Row row : replacements->replaced()) replaced_.emplace(row, replaced_.size());
  }
  overrides_.write = [this](std::size_t row, float* out) { write_point(row, out); };
  overrides_.distance_offset = [this](std::size_t row) -> std::optional<float> {
    if (!has_only_code(row)) return std::nullopt;
    const Encoder& encoder = lists_.quantizer->encoder;
    std::vector<std::byte> code(encoder.stride());
    read_code(row, code);
    return encoder.distance_offset(code.data()) -
           lists_.quantizer->centroids.bias_of(encoder, code.data(), list_of_[row]);
  };
}

void PointSource::locate_codes() {
  list_of_.resize(lists_.listed_rows);
  for (std::uint32_t l = 0; l < lists_.lists.size(); ++l)
    for (const Row row : lists_.lists[l].rows) list_of_[row] = l;
}

void PointSource::read_code(std::size_t row, std::span<std::byte> code) const {
  const InvertedList& list = lists_.lists[list_of_[row]];
  const auto position = std::lower_bound(list.rows.begin(), list.rows.end(), static_cast<Row>(row)) - list.rows.begin();
  lists_.quantizer->layout.unpack(list.blocks.data(), static_cast<std::size_t>(position), code.data());
}

void PointSource::write_point(std::size_t row, float* out) const {
  if (row >= first_stored_) return stored_.write_point(row - first_stored_, out);
  if (const auto found = replaced_.find(static_cast<Row>(row)); found != replaced_.end())
    return replacements_.write_point(found->second, out);
  const IvfQuantizer& quantizer = *lists_.quantizer;
  const std::size_t dim = quantizer.encoder.dim();
  std::vector<std::byte> code(quantizer.encoder.stride());
  read_code(row, code);
  quantizer.encoder.decode(code.data(), out);
  const float* const centroid = quantizer.centroids.positions().data() + list_of_[row] * dim;
  for (std::size_t d = 0; d < dim; ++d) out[d] += centroid[d] + quantizer.encoder.center()[d];
}

}  // namespace lookalike
