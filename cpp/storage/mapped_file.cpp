#include "storage/mapped_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "storage/io_error.hpp"

namespace lookalike {
namespace {

constexpr std::size_t tolerated_share = 10;

/// A wish: where it is refused, reading works as well.
void advise(std::span<const std::byte> bytes, int advice) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t before = address % page;
  ::madvise(const_cast<std::byte*>(bytes.data()) - before, bytes.size() + before, advice);
}

}  // namespace

MappedFile::MappedFile(const InputFile& file)
    : MappedFile(file.descriptor(), static_cast<std::size_t>(file.size()), file.name()) {}

MappedFile::MappedFile(int descriptor, std::size_t length, const std::string& name) {
  void* const address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) throw io_error("map " + name, errno);
  bytes_ = {static_cast<const std::byte*>(address), length};
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

void MappedFile::expect(Reads reads) const noexcept {
  advise(bytes_, reads == Reads::in_places ? MADV_RANDOM : MADV_NORMAL);
}

void MappedFile::will_read(std::span<const std::byte> part) const noexcept {
  if (!part.empty()) advise(part, MADV_WILLNEED);
}

void MappedFile::has_read(std::size_t places, std::size_t bytes) const noexcept {
  const std::size_t more = bytes + places * brought_along;
  if (resident_.fetch_add(more, std::memory_order_relaxed) + more > bytes_.size() / tolerated_share) give_back();
}

void MappedFile::give_back() const noexcept {
  resident_.store(0, std::memory_order_relaxed);
  advise(bytes_, MADV_DONTNEED);  // of a file that is only read: nothing can be lost
}

}  // namespace lookalike
