#include "storage/mapped_file.hpp"

#include "storage/io_error.hpp"

namespace lookalike {
namespace {

constexpr std::size_t tolerated_share = 10;

}  // namespace

MappedFile::MappedFile(const InputFile& file)
    : MappedFile(file.file(), static_cast<std::size_t>(file.size()), file.name()) {}

MappedFile::MappedFile(const platform::File& file, std::size_t length, const std::string& name) {
  if (const int code = mapping_.map(file, length)) throw io_error("map " + name, code);
}

void MappedFile::expect(Reads reads) const noexcept {
  platform::advise(bytes(), reads == Reads::in_places ? platform::Advice::in_places : platform::Advice::in_order);
}

void MappedFile::will_read(std::span<const std::byte> part) const noexcept {
  if (!part.empty()) platform::advise(part, platform::Advice::will_need);
}

void MappedFile::has_read(std::size_t places, std::size_t bytes) const noexcept {
  const std::size_t more = bytes + places * brought_along;
  if (resident_.fetch_add(more, std::memory_order_relaxed) + more > mapping_.bytes().size() / tolerated_share)
    give_back();
}

void MappedFile::give_back() const noexcept {
  resident_.store(0, std::memory_order_relaxed);
  platform::advise(bytes(), platform::Advice::give_back);
}

}  // namespace lookalike
