#include "storage/input_file.hpp"

#include <cerrno>

#include "storage/io_error.hpp"

namespace lookalike {

InputFile::InputFile(const std::filesystem::path& path) : name_(quoted(path)) {
  if (const int code = file_.open_to_read(path)) throw io_error("open " + name_, code);
  platform::FileStatus status;
  int code = file_.status(status);
  if (!code && status.type == platform::FileType::directory) code = EISDIR;
  if (code) throw io_error("read " + name_, code);
  if (status.type != platform::FileType::regular) {
    throw InvalidArgument(name_ + " is a device or a pipe; a regular file is needed");
  }
  size_ = status.size;
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    std::size_t bytes_read = 0;
    if (const int code = file_.read_at(offset, out, bytes_read)) throw io_error("read " + name_, code);
    if (bytes_read == 0) throw CorruptFile(name_ + " was truncated while it was read");
    out = out.subspan(bytes_read);
    offset += bytes_read;
  }
}

}  // namespace lookalike
