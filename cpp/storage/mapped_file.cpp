#include "storage/mapped_file.hpp"

#include "storage/io_error.hpp"

namespace lookalike {
namespace {

// Pages are dropped when an estimated 1/10 of the file is resident.
constexpr std::size_t resident_divisor = 10;

}  // namespace

MappedFile::MappedFile(const InputFile& file)
    : MappedFile(file.file(), static_cast<std::size_t>(file.size()), file.name()) {}

MappedFile::MappedFile(const platform::File& file, std::size_t length, const std::string& name) {
  if (const int code = mapping_.map(file, length)) throw io_error("map " + name, code);
}

void MappedFile::advise(Access access) const noexcept {
  platform::advise(bytes(), access == Access::random ? platform::Advice::in_places : platform::Advice::in_order);
}

void MappedFile::prefetch_range(std::span<const std::byte> range) const noexcept {
  if (!range.empty()) platform::advise(range, platform::Advice::will_need);
}

void MappedFile::count_read(std::size_t ranges, std::size_t bytes) const noexcept {
  const std::size_t added = bytes + ranges * read_around_bytes;
  if (resident_.fetch_add(added, std::memory_order_relaxed) + added > mapping_.bytes().size() / resident_divisor)
    drop_pages();
}

void MappedFile::drop_pages() const noexcept {
  resident_.store(0, std::memory_order_relaxed);
  platform::advise(bytes(), platform::Advice::give_back);
}

}  // namespace lookalike
