#include "platform/cgroups.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <string_view>

namespace lookalike::platform {
namespace {

using std::filesystem::path;

void tighten(std::optional<unsigned>& limit, double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return;
  const auto cpus = static_cast<unsigned>(std::clamp(std::ceil(quota / period), 1.0, 1e6));
  limit = limit ? std::min(*limit, cpus) : cpus;
}

// "max 100000" or "150000 100000": microseconds of CPU in every period.
void read_version_2(const path& group, std::optional<unsigned>& limit) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period) tighten(limit, quota, period);
}

// -1: no quota.
void read_version_1(const path& group, std::optional<unsigned>& limit) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (quota_file >> quota && period_file >> period) tighten(limit, quota, period);
}

// A container may see its groups under the root although /proc names them as the host does, so every level is tried and
// those that are not there say nothing.
template <class Read>
void read_upwards(const path& mount, path group, Read read, std::optional<unsigned>& limit) {
  for (group = group.relative_path().lexically_normal(); !group.empty(); group = group.parent_path()) {
    read(mount / group, limit);
  }
  read(mount, limit);
}

bool names_cpu(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == "cpu") return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

}  // namespace

std::optional<unsigned> cgroup_cpus(const path& membership, const path& mount) {
  std::optional<unsigned> limit;
  std::ifstream file(membership);
  for (std::string line; std::getline(file, line);) {
    // hierarchy:controllers:group, and 0::group for version 2.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      read_upwards(mount, group, read_version_2, limit);
    } else if (names_cpu(controllers)) {
      // Mounted under its full name, with "cpu" a link to it, or under "cpu" alone.
      read_upwards(mount / controllers, group, read_version_1, limit);
      if (controllers != "cpu") read_upwards(mount / "cpu", group, read_version_1, limit);
    }
  }
  return limit;
}

}  // namespace lookalike::platform
