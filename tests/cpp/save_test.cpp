// Saves are atomic: if the disk is full, the directory is missing or the process dies, a complete file remains.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "storage/file.hpp"
#include "temporary_folder.hpp"

namespace lookalike {
namespace {

void save(const std::filesystem::path& path, std::uint32_t version, std::size_t size = 1000) {
  const std::vector<std::uint32_t> values(size, version);
  FileWriter writer("test");
  writer.array<std::uint32_t>("values", values);
  writer.save(path);
}

std::uint32_t saved_version(const std::filesystem::path& path) {
  const auto values = FileReader::open(path, false).array<std::uint32_t>("values");
  REQUIRE_FALSE(values.empty());
  REQUIRE(std::count(values.begin(), values.end(), values[0]) == static_cast<std::ptrdiff_t>(values.size()));
  return values[0];
}

int error_of_saving(const std::filesystem::path& path) {
  try {
    save(path, 2);
  } catch (const IoError& error) {
    CHECK(std::string(error.what()).find(path.string()) != std::string::npos);
    return error.code;
  }
  return 0;
}

/// The wait status of a child that runs `body` and exits with 0.
int in_child(const std::function<void()>& body, const std::function<void(pid_t)>& meanwhile = [](pid_t) {}) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    body();
    ::_exit(0);
  }
  meanwhile(child);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}

void limit_file_size(std::size_t bytes) {
  const rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const rlimit limit = {static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

TEST_CASE("unwritable paths are reported with their errno") {
  const TemporaryFolder folder;
  CHECK(error_of_saving(folder / "missing/a") == ENOENT);
  CHECK(error_of_saving(folder.path()) == EISDIR);
  CHECK(error_of_saving("") == ENOENT);
  CHECK(error_of_saving(folder / std::string(300, 'n')) == ENAMETOOLONG);
  write_file(folder / "plain", {});
  CHECK(error_of_saving(folder / "plain/a") == ENOTDIR);
  CHECK(folder.files() == 1);
  if (std::filesystem::exists("/dev/full")) CHECK(error_of_saving("/dev/full") == ENOSPC);
  CHECK(error_of_saving("/dev/null") == 0);
}

TEST_CASE("a file name of the maximum length can be saved to") {
  const TemporaryFolder folder;
  save(folder / std::string(255, 'n'), 1);
  CHECK(saved_version(folder / std::string(255, 'n')) == 1);
}

TEST_CASE("a new file gets the umask's mode, a replaced file keeps its mode") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  save(folder / "a", 1);
  CHECK(mode_of(folder / "a") == 0640);
  ::chmod((folder / "a").c_str(), 0606);
  save(folder / "a", 2);
  CHECK(mode_of(folder / "a") == 0606);
  ::umask(before);
  if (::geteuid() != 0) {
    ::chmod((folder / "a").c_str(), 0400);
    CHECK(error_of_saving(folder / "a") == EACCES);
  }
  CHECK(saved_version(folder / "a") == 2);
}

TEST_CASE("a symbolic link is followed") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "inner");
  save(folder / "inner/file", 1);
  std::filesystem::create_symlink("inner/file", folder / "link");
  save(folder / "link", 2);
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(saved_version(folder / "inner/file") == 2);
}

TEST_CASE("a pipe is written to directly") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::vector<std::byte> received;
  std::thread other([&] { received = read_file(folder / "pipe"); });
  save(folder / "pipe", 3);
  other.join();
  write_file(folder / "copy", received);
  CHECK(saved_version(folder / "copy") == 3);
}

TEST_CASE("a disk that fills at any byte leaves the old file and no temporary file") {
  const TemporaryFolder folder;
  save(folder / "a", 1);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(folder / "a"));
  for (std::size_t limit = 0; limit < size; limit += 61) {
    CAPTURE(limit);
    const int status = in_child([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      limit_file_size(limit);
      try {
        save(folder / "a", 2);
      } catch (const IoError& error) {
        ::_exit(error.code == EFBIG ? 42 : 1);
      }
    });
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) == 42);
    REQUIRE(saved_version(folder / "a") == 1);
    REQUIRE(folder.files() == 1);
  }
}

TEST_CASE("a process that dies at any byte of a write leaves the old file") {
  const TemporaryFolder folder;
  save(folder / "a", 1);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(folder / "a"));
  for (std::size_t limit = 0; limit < size; limit += 61) {
    CAPTURE(limit);
    const int status = in_child([&] {
      std::signal(SIGXFSZ, SIG_DFL);
      limit_file_size(limit);  // a write past the limit kills the process
      save(folder / "a", 2);
    });
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(saved_version(folder / "a") == 1);
  }
}

TEST_CASE("a process killed at any time leaves the old file or the new one") {
  using std::chrono::microseconds;
  using std::chrono::steady_clock;
  const TemporaryFolder folder;
  constexpr std::size_t size = 100'000;
  save(folder / "a", 1, size);
  const auto start = steady_clock::now();
  in_child([&] { save(folder / "a", 2, size); });
  const auto duration = steady_clock::now() - start;

  constexpr int points = 200;
  std::uint32_t version = 2;
  for (int i = 0; i < points; ++i) {
    CAPTURE(i);
    const int status = in_child([&] { save(folder / "a", version + 1, size); },
                                [&](pid_t child) {
                                  std::this_thread::sleep_for(duration * i * 5 / (4 * points));
                                  ::kill(child, SIGKILL);
                                });
    const std::uint32_t found = saved_version(folder / "a");
    REQUIRE((found == version || found == version + 1));
    if (WIFEXITED(status)) REQUIRE(found == version + 1);
    version = found;
  }
}

TEST_CASE("concurrent saves to one path leave one complete file") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (std::uint32_t version = 1; version <= 4; ++version) {
    threads.emplace_back([&folder, version] {
      for (int i = 0; i < 10; ++i) save(folder / "a", version);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(saved_version(folder / "a") <= 4);
  CHECK(folder.files() == 1);
}

}  // namespace
}  // namespace lookalike
