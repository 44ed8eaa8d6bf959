// A file that is written completely or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "platform/file.hpp"

namespace lookalike {

class OutputFile {
 public:
  /// Creates a temporary file in the directory of `path`. Its mode is that of the file to be replaced, or the umask's
  /// default. If `path` is a device or a pipe, opens it directly. Throws IoError.
  explicit OutputFile(const std::filesystem::path& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Removes the temporary file unless it was committed.
  ~OutputFile();

  /// Throws IoError.
  void write(std::span<const std::byte> bytes);
  /// Syncs the file, renames it to its final path and syncs the directory. No writes may follow. Throws IoError.
  void commit();

 private:
  void create_beside(unsigned permissions);
  void sync() const;
  [[noreturn]] void fail(int code) const;

  std::string name_;                 // the requested path, for error messages
  std::filesystem::path path_;       // the final path, symbolic links resolved
  std::filesystem::path temporary_;  // removed on failure; empty for a device or pipe and after commit
  platform::File file_;
};

}  // namespace lookalike
