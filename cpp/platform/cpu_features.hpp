// What the CPU can do, where only the operating system knows.
#pragma once

namespace lookalike::platform {

/// Whether an Arm64 CPU has half-precision arithmetic and dot products of bytes. False on other CPUs.
bool has_half_and_dot_product() noexcept;

}  // namespace lookalike::platform
