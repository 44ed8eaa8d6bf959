// CRC-32C (Castagnoli), as in iSCSI and ext4. It detects every burst error of up to 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lookalike {

/// The checksum of `bytes`, continued from `crc`, the checksum of the preceding bytes. Uses the CPU's CRC instruction
/// if the build targets one.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// Portable version of crc32c.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace lookalike
