// The platform functions that storage and the thread pool rely on.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/file.hpp"
#include "platform/mapping.hpp"
#include "platform/memory.hpp"
#include "platform/paths.hpp"
#include "platform/threads.hpp"
#include "storage/file.hpp"
#include "storage/io_error.hpp"
#include "system.hpp"
#include "temporary_folder.hpp"

namespace lookalike::platform {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span<const char>(text)); }
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Writes `text` to a file, syncs and closes it.
void put(const std::filesystem::path& path, std::string_view text) {
  File file;
  REQUIRE(file.create(path, 0666) == 0);
  std::size_t written = 0;
  REQUIRE(file.write(bytes_of(text), written) == 0);
  REQUIRE(written == text.size());
  REQUIRE(file.sync() == 0);
  REQUIRE(file.close() == 0);
}

std::string text_at(const std::filesystem::path& path) {
  File file;
  REQUIRE(file.open_to_read(path) == 0);
  std::array<std::byte, 100> buffer;
  std::size_t got = 0;
  REQUIRE(file.read_at(0, buffer, got) == 0);
  return text_of(std::span(buffer).first(got));
}

TEST_CASE("failed system calls return an errno") {
  const TemporaryFolder folder;
  FileStatus status;
  CHECK(File().open_to_read(folder / "missing") == ENOENT);
  CHECK(File().create(folder / "missing" / "a", 0666) == ENOENT);
  CHECK(status_of(folder / "missing", status) == ENOENT);
  CHECK(status_of("", status) == ENOENT);
  CHECK(replace(folder / "missing", folder / "a") == ENOENT);
  put(folder / "a", "old");
  CHECK(File().create(folder / "a", 0666) == EEXIST);
  CHECK(File().create_scratch(folder / "a") == EEXIST);
  CHECK(text_at(folder / "a") == "old");
  CHECK(folder.files() == 1);
}

TEST_CASE("files, directories and devices are distinguished") {
  const TemporaryFolder folder;
  put(folder / "a", "four");
  FileStatus status;
  REQUIRE(status_of(folder / "a", status) == 0);
  CHECK(status.type == FileType::regular);
  CHECK(status.size == 4);
  CHECK(check_writable(folder / "a") == 0);
  REQUIRE(status_of(folder.path(), status) == 0);
  CHECK(status.type == FileType::directory);
  File opened;
  REQUIRE(opened.open_to_read(folder.path()) == 0);
  REQUIRE(opened.status(status) == 0);
  CHECK(status.type == FileType::directory);
}

TEST_CASE("reads return the bytes at an offset, and none past the end") {
  const TemporaryFolder folder;
  put(folder / "a", "0123456789");
  File file;
  REQUIRE(file.open_to_read(folder / "a") == 0);
  std::array<std::byte, 4> buffer;
  std::size_t got = 0;
  REQUIRE(file.read_at(3, buffer, got) == 0);
  CHECK(text_of(std::span(buffer).first(got)) == "3456");
  REQUIRE(file.read_at(8, buffer, got) == 0);
  CHECK(text_of(std::span(buffer).first(got)) == "89");
  REQUIRE(file.read_at(10, buffer, got) == 0);
  CHECK(got == 0);
}

TEST_CASE("an open or mapped file stays readable after it is replaced") {
  const TemporaryFolder folder;
  put(folder / "a", "old");
  put(folder / "b", "new");
  File file;
  REQUIRE(file.open_to_read(folder / "a") == 0);
  Mapping mapping;
  REQUIRE(mapping.map(file, 3) == 0);
  const int code = replace(folder / "b", folder / "a");
  CHECK(text_of(mapping.bytes()) == "old");
  if (testing::may_refuse_to_replace_open_files && code == EACCES) {
    CHECK(text_at(folder / "a") == "old");
    CHECK(text_at(folder / "b") == "new");
    return;
  }
  REQUIRE(code == 0);
  CHECK(sync_directory(folder.path()) == 0);
  std::array<std::byte, 3> buffer;
  std::size_t got = 0;
  REQUIRE(file.read_at(0, buffer, got) == 0);
  CHECK(text_of(buffer) == "old");
  CHECK(text_at(folder / "a") == "new");
  CHECK(folder.files() == 1);
}

TEST_CASE("concurrent replacements of a file leave one complete version") {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        const std::filesystem::path mine = folder / std::to_string(thread * 10 + i);
        write_file(mine, bytes_of("whole"));
        failures += replace(mine, folder / "a") != 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(text_at(folder / "a") == "whole");
  CHECK(folder.files() == 1);
}

TEST_CASE("a mapping outlives its file, and advice does not change its bytes") {
  const TemporaryFolder folder;
  const std::string text(300'000, 'x');
  write_file(folder / "a", bytes_of(text));
  Mapping mapping;
  {
    File file;
    REQUIRE(file.open_to_read(folder / "a") == 0);
    REQUIRE(mapping.map(file, text.size()) == 0);
  }
  for (const Advice advice : {Advice::in_places, Advice::will_need, Advice::give_back, Advice::in_order}) {
    advise(mapping.bytes().subspan(70'001, 9'000), advice);
    CHECK(text_of(mapping.bytes()) == text);
  }
}

TEST_CASE("a scratch file is deleted with its last user") {
  const TemporaryFolder folder;
  {
    std::optional<Mapping> mapping(std::in_place);
    {
      File file;
      REQUIRE(file.create_scratch(folder / "scratch") == 0);
      std::size_t put = 0;
      REQUIRE(file.write(bytes_of("bytes"), put) == 0);
      REQUIRE(put == 5);
      REQUIRE(mapping->map(file, 5) == 0);
    }
    CHECK(text_of(mapping->bytes()) == "bytes");
  }
  CHECK(folder.files() == 0);
}

TEST_CASE("file names may use any script, and messages show them as UTF-8") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / u8"\u0436\u0430\u0431\u0430-\u86d9-\U0001f438";
  FileWriter writer("test");
  writer.value<std::uint32_t>("answer", 42);
  writer.save(path);
  writer.save(path);
  CHECK(FileReader::open(path, true).value<std::uint32_t>("answer") == 42);
  std::string message;
  try {
    writer.save(path / "a");
  } catch (const IoError& error) {
    message = error.what();
  }
  CHECK(message.find("\xd0\xb6\xd0\xb0\xd0\xb1\xd0\xb0-\xe8\x9b\x99-\xf0\x9f\x90\xb8") != std::string::npos);
}

TEST_CASE("paths may be longer than 260 characters") {
  const TemporaryFolder folder;
  const std::filesystem::path inner = folder / std::string(130, 'd');
  std::filesystem::create_directory(inner);
  const std::filesystem::path path = inner / std::string(150, 'f');
  FileWriter writer("test");
  writer.value<std::uint32_t>("answer", 42);
  writer.save(path);
  writer.save(path);
  CHECK(FileReader::open(path, true).value<std::uint32_t>("answer") == 42);
  remove_file(path);
  FileStatus status;
  CHECK(status_of(path, status) == ENOENT);
}

TEST_CASE("all started threads run") {
  // Threads are never joined, so the data they use must outlive the test.
  static std::atomic<unsigned> ran = 0;
  const ThreadBody body = [](void* argument) noexcept -> void* {
    name_this_thread("lookalike");
    ran += *static_cast<const unsigned*>(argument);
    return nullptr;
  };
  static unsigned step = 10;
  const unsigned started = start_threads(3, std::size_t{1} << 20, body, &step);
  CHECK(started == 3);
  for (int i = 0; ran != 30 && i < 10'000; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(ran == 30);
}

TEST_CASE("memory has the requested alignment") {
  for (const std::size_t granule : {std::size_t{64}, std::size_t{2} << 20}) {
    void* const memory = allocate_aligned(granule, 2 * granule);
    REQUIRE(memory);
    prefer_huge_pages(memory, 2 * granule);
    CHECK(reinterpret_cast<std::uintptr_t>(memory) % granule == 0);
    std::memset(memory, 1, 2 * granule);
    free_aligned(memory);
  }
}

}  // namespace
}  // namespace lookalike::platform
