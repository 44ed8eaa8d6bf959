#include "linalg/signed_bytes.hpp"

#include <algorithm>

#include "kernels/dispatch.hpp"
#include "kernels/table.hpp"

namespace lookalike {

void SignedBytes::assign(std::span<const float> values, std::size_t padded_size) {
  bytes.resize(padded_size);
  step = kernels().round_to_bytes(values.data(), values.size(), bytes.data());
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(values.size()), bytes.end(), std::int8_t{0});
}

int SignedBytes::sum() const noexcept {
  int sum = 0;
  for (const std::int8_t byte : bytes) sum += byte;
  return sum;
}

}  // namespace lookalike
