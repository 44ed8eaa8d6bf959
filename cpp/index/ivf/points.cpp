#include "index/ivf/points.hpp"

#include <algorithm>
#include <optional>

namespace lookalike {

PassingPoints::PassingPoints(const Rows& rows, const IvfLists& lists, Change* replacements)
    : lists_(lists), fresh_from_(rows.store().forgotten()), fresh_(lists.space(rows)), replacing_(fresh_) {
  if (replacements) {
    replacing_.rows = replacements->replacements();
    replacing_.inverse_norms = replacements->replacement_inverse_norms().data();
    for (const Row row : replacements->replaced()) replaced_.emplace(row, replaced_.size());
  }
  elsewhere_.write = [this](std::size_t row, float* out) { write(row, out); };
  elsewhere_.beyond = [this](std::size_t row) -> std::optional<float> {
    if (!is_forgotten(row)) return std::nullopt;
    const Encoder& encoder = lists_.quantizer->encoder;
    std::vector<std::byte> code(encoder.stride());
    get_code(row, code);
    return encoder.beyond(code.data()) - lists_.quantizer->centroids.bias_of(encoder, code.data(), list_of_[row]);
  };
}

void PassingPoints::find_codes() {
  list_of_.resize(lists_.listed);
  for (std::uint32_t l = 0; l < lists_.lists.size(); ++l)
    for (const Row row : lists_.lists[l].rows) list_of_[row] = l;
}

void PassingPoints::get_code(std::size_t row, std::span<std::byte> code) const {
  const InvertedList& list = lists_.lists[list_of_[row]];
  const auto at = std::lower_bound(list.rows.begin(), list.rows.end(), static_cast<Row>(row)) - list.rows.begin();
  lists_.quantizer->form.get(list.blocks.data(), static_cast<std::size_t>(at), code.data());
}

void PassingPoints::write(std::size_t row, float* out) const {
  if (row >= fresh_from_) return fresh_.write_point(row - fresh_from_, out);
  if (const auto found = replaced_.find(static_cast<Row>(row)); found != replaced_.end())
    return replacing_.write_point(found->second, out);
  const IvfQuantizer& quantizer = *lists_.quantizer;
  const std::size_t dim = quantizer.encoder.dim();
  std::vector<std::byte> code(quantizer.encoder.stride());
  get_code(row, code);
  quantizer.encoder.decode(code.data(), out);
  const float* const centroid = quantizer.centroids.positions().data() + list_of_[row] * dim;
  for (std::size_t d = 0; d < dim; ++d) out[d] += centroid[d] + quantizer.encoder.center()[d];
}

}  // namespace lookalike
