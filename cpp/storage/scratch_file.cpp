#include "storage/scratch_file.hpp"

#include <algorithm>
#include <cerrno>

#include "storage/io_error.hpp"
#include "storage/temporary_name.hpp"

namespace lookalike {
namespace {

// The page cache may keep each write as one large folio, and a page fault then maps the whole folio. Small writes keep
// folios within the fault-around window.
constexpr std::size_t max_write_bytes = MappedFile::read_around_bytes;

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& target) : name_("scratch space for " + quoted(target)) {
  int code = EEXIST;
  while (code == EEXIST) code = file_.create_scratch(target.parent_path() / temporary_name());
  if (code) throw io_error("make " + name_, code);
}

void ScratchFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t bytes_written = 0;
    const int code = file_.write(bytes.first(std::min(bytes.size(), max_write_bytes)), bytes_written);
    if (code) throw io_error("write " + name_, code);
    bytes = bytes.subspan(bytes_written);
    size_ += bytes_written;
  }
}

std::shared_ptr<const MappedFile> ScratchFile::map() const {
  if (size_ == 0) return nullptr;
  return std::make_shared<const MappedFile>(file_, size_, name_);
}

void ScratchMaps::count_read(std::size_t bytes) const {
  if (read_.fetch_add(bytes, std::memory_order_relaxed) + bytes < max_resident_bytes_) return;
  read_.store(0, std::memory_order_relaxed);
  for (const std::weak_ptr<const MappedFile>& file : files_)
    if (const auto mapped = file.lock()) mapped->drop_pages();
}

}  // namespace lookalike
