#include "storage/scratch_file.hpp"

#include <algorithm>
#include <cerrno>

#include "storage/io_error.hpp"
#include "storage/temporary_name.hpp"

namespace lookalike {
namespace {

// Pages that were written together may come together when one of them is touched.
constexpr std::size_t written_at_once = MappedFile::brought_along;

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& beside) : name_("scratch space for " + quoted(beside)) {
  int code = EEXIST;
  while (code == EEXIST) code = file_.create_scratch(beside.parent_path() / temporary_name());
  if (code) throw io_error("make " + name_, code);
}

void ScratchFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t put = 0;
    const int code = file_.write(bytes.first(std::min(bytes.size(), written_at_once)), put);
    if (code) throw io_error("write " + name_, code);
    bytes = bytes.subspan(put);
    size_ += put;
  }
}

std::shared_ptr<const MappedFile> ScratchFile::map() const {
  if (size_ == 0) return nullptr;
  return std::make_shared<const MappedFile>(file_, size_, name_);
}

void ScratchMaps::has_read(std::size_t bytes) const {
  if (read_.fetch_add(bytes, std::memory_order_relaxed) + bytes < most_) return;
  read_.store(0, std::memory_order_relaxed);
  for (const std::weak_ptr<const MappedFile>& file : files_)
    if (const auto mapped = file.lock()) mapped->give_back();
}

}  // namespace lookalike
