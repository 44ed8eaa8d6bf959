#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "platform/cgroups.hpp"
#include "platform/cpus.hpp"
#include "runtime/parallel.hpp"
#include "runtime/parse_cpus.hpp"
#include "system.hpp"
#include "temporary_folder.hpp"

#ifdef __linux__
#include <sched.h>
#endif

namespace lookalike {
namespace {

using platform::affinity_cpus, platform::cgroup_cpus;
using testing::set_environment, testing::unset_environment;

void put(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

TEST_CASE("a cgroup v2 quota is rounded up, and the smallest quota of all parent groups applies") {
  const TemporaryFolder folder;
  const auto mount = folder / "mount";
  put(folder / "cgroup", "0::/service/job\n");
  CHECK_FALSE(cgroup_cpus(folder / "cgroup", mount));
  put(mount / "cpu.max", "max 100000\n");
  CHECK_FALSE(cgroup_cpus(folder / "cgroup", mount));
  put(mount / "service/job/cpu.max", "350000 100000\n");
  CHECK(cgroup_cpus(folder / "cgroup", mount) == 4);
  put(mount / "service/cpu.max", "150000 100000\n");
  CHECK(cgroup_cpus(folder / "cgroup", mount) == 2);
  put(mount / "cpu.max", "1000 100000\n");
  CHECK(cgroup_cpus(folder / "cgroup", mount) == 1);
}

TEST_CASE("a cgroup v1 quota is read from its controller, also where a container has only the root mounted") {
  const TemporaryFolder folder;
  const auto mount = folder / "mount";
  put(folder / "cgroup", "5:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n0::/\n");
  put(mount / "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put(mount / "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(cgroup_cpus(folder / "cgroup", mount));
  put(mount / "cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  CHECK(cgroup_cpus(folder / "cgroup", mount) == 3);
  put(mount / "cpu/docker/abc/cpu.cfs_quota_us", "200000\n");
  put(mount / "cpu/docker/abc/cpu.cfs_period_us", "100000\n");
  CHECK(cgroup_cpus(folder / "cgroup", mount) == 2);
}

TEST_CASE("missing and malformed quota files set no limit") {
  const TemporaryFolder folder;
  CHECK_FALSE(cgroup_cpus(folder / "missing", folder.path()));
  put(folder / "cgroup", "nonsense\n0::/../..\n::\n");
  put(folder / "cpu.max", "soon\n");
  CHECK_FALSE(cgroup_cpus(folder / "cgroup", folder.path()));
}

TEST_CASE("only positive integers are CPU counts") {
  CHECK(parse_cpus("1") == 1);
  CHECK(parse_cpus("16") == 16);
  for (const char* text : {"", "0", "-2", "+2", "2.5", "two", " 2", "2 ", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cpus(text));
  }
}

TEST_CASE("the environment lowers the number of threads and never raises it") {
  const char* const before = std::getenv("LOOKALIKE_NUM_THREADS");
  const std::string saved = before ? before : "";
  unset_environment("LOOKALIKE_NUM_THREADS");
  const unsigned all = available_threads();
  CHECK(all >= 1);
  CHECK(all <= affinity_cpus());
  set_environment("LOOKALIKE_NUM_THREADS", "1");
  CHECK(available_threads() == 1);
  set_environment("LOOKALIKE_NUM_THREADS", "100000");
  CHECK(available_threads() == all);
  set_environment("LOOKALIKE_NUM_THREADS", "none");
  CHECK(available_threads() == all);
  before ? set_environment("LOOKALIKE_NUM_THREADS", saved.c_str()) : unset_environment("LOOKALIKE_NUM_THREADS");
}

#ifdef __linux__
TEST_CASE("the affinity mask of the calling thread limits the threads") {
  std::thread([] {
    cpu_set_t mask;
    REQUIRE(::sched_getaffinity(0, sizeof mask, &mask) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &mask)) ++cpu;
    CPU_ZERO(&mask);
    CPU_SET(cpu, &mask);
    REQUIRE(::sched_setaffinity(0, sizeof mask, &mask) == 0);
    CHECK(affinity_cpus() == 1);
    CHECK(available_threads() == 1);
  }).join();
}
#endif

}  // namespace
}  // namespace lookalike
