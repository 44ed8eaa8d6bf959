#include "storage/scratch_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/io_error.hpp"
#include "storage/temporary_name.hpp"

namespace lookalike {
namespace {

// Pages that were written together may come together when one of them is touched.
constexpr std::size_t written_at_once = MappedFile::brought_along;

}  // namespace

ScratchFile::ScratchFile(const std::filesystem::path& beside) : name_("scratch space for '" + beside.string() + "'") {
  for (;;) {
    const std::filesystem::path path = beside.parent_path() / temporary_name();
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor_ < 0 && errno == EEXIST) continue;
    if (descriptor_ < 0) throw io_error("make " + name_, errno);
    ::unlink(path.c_str());
    return;
  }
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

void ScratchFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), written_at_once));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw io_error("write " + name_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    size_ += static_cast<std::size_t>(put);
  }
}

std::shared_ptr<const MappedFile> ScratchFile::map() const {
  if (size_ == 0) return nullptr;
  return std::make_shared<const MappedFile>(descriptor_, size_, name_);
}

void ScratchMaps::has_read(std::size_t bytes) const {
  if (read_.fetch_add(bytes, std::memory_order_relaxed) + bytes < most_) return;
  read_.store(0, std::memory_order_relaxed);
  for (const std::weak_ptr<const MappedFile>& file : files_)
    if (const auto mapped = file.lock()) mapped->give_back();
}

}  // namespace lookalike
