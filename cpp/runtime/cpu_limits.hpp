// How many CPUs the operating system lets this process use.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace lookalike {

/// CPUs in the affinity mask of the calling thread, or of the machine where there is no such mask. At least 1.
unsigned affinity_cpus();

/// The tightest CPU quota of this process's control groups and of those above them, rounded up to whole CPUs; none if
/// there is no quota. `membership` is /proc/self/cgroup, `mount` is /sys/fs/cgroup; versions 1 and 2 are read.
std::optional<unsigned> cgroup_cpus(const std::filesystem::path& membership, const std::filesystem::path& mount);

/// A count as people write it in an environment variable; none unless `text` is a positive whole number.
std::optional<unsigned> parse_cpus(std::string_view text);

}  // namespace lookalike
