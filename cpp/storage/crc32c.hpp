// CRC-32C (Castagnoli), the checksum of iSCSI, ext4 and of our files. It finds every error of up to 32 adjacent bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// The checksum of `bytes`, or of what `crc` was the checksum of followed by `bytes`. Uses the CPU's instruction where
/// the build's baseline has one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// The same without the CPU's instruction.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace lookalike
