// CPU quotas of Linux's control groups. They are read as text, so this compiles everywhere.
#pragma once

#include <filesystem>
#include <optional>

namespace lookalike::platform {

/// The tightest CPU quota of this process's control groups and of those above them, rounded up to whole CPUs; none if
/// there is no quota. `membership` is /proc/self/cgroup, `mount` is /sys/fs/cgroup; versions 1 and 2 are read.
std::optional<unsigned> cgroup_cpus(const std::filesystem::path& membership, const std::filesystem::path& mount);

}  // namespace lookalike::platform
