#include "storage/output_file.hpp"

#include <cerrno>
#include <system_error>

#include "platform/paths.hpp"
#include "storage/io_error.hpp"
#include "storage/temporary_name.hpp"

namespace lookalike {
namespace {

std::filesystem::path follow_links(const std::filesystem::path& path) {
  std::error_code ignored;  // opening the path reports its errors
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  std::filesystem::path target = std::filesystem::weakly_canonical(path, ignored);
  return target.empty() ? path : target;
}

}  // namespace

OutputFile::OutputFile(const std::filesystem::path& path) : name_(quoted(path)), path_(follow_links(path)) {
  platform::FileStatus status;
  if (const int code = platform::status_of(path_, status)) {
    if (code != ENOENT) fail(code);
    create_beside(0666);
  } else if (status.type == platform::FileType::directory) {
    fail(EISDIR);
  } else if (status.type == platform::FileType::regular) {
    // A rename would replace even a read-only file, so check for write permission.
    if (const int error = platform::check_writable(path_)) fail(error);
    create_beside(status.permissions & 0777);
    if (const int error = file_.set_permissions(status.permissions)) {
      static_cast<void>(file_.close());
      platform::remove_file(temporary_);
      fail(error);
    }
  } else if (const int error = file_.open_to_write(path_)) {
    fail(error);
  }
}

OutputFile::~OutputFile() {
  static_cast<void>(file_.close());
  if (!temporary_.empty()) platform::remove_file(temporary_);
}

void OutputFile::create_beside(unsigned permissions) {
  int code = EEXIST;
  std::filesystem::path candidate;
  while (code == EEXIST) {
    candidate = path_.parent_path() / temporary_name();
    code = file_.create(candidate, permissions);
  }
  if (code) fail(code);
  temporary_ = std::move(candidate);
}

void OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t bytes_written = 0;
    if (const int code = file_.write(bytes, bytes_written)) fail(code);
    bytes = bytes.subspan(bytes_written);
  }
}

void OutputFile::commit() {
  sync();
  if (const int code = file_.close()) fail(code);
  if (temporary_.empty()) return;
  if (const int code = platform::replace(temporary_, path_)) fail(code);
  temporary_.clear();
  const int code = platform::sync_directory(path_.has_parent_path() ? path_.parent_path() : ".");
  if (code) fail(code);
}

void OutputFile::sync() const {
  const int code = file_.sync();
  // Devices and pipes do not support syncing.
  const bool is_unsupported = temporary_.empty() && (code == EINVAL || code == EROFS || code == ENOTSUP);
  if (code && !is_unsupported) fail(code);
}

void OutputFile::fail(int code) const { throw io_error("write " + name_, code); }

}  // namespace lookalike
