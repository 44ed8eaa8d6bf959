// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "platform/file.hpp"

namespace lookalike {

class OutputFile {
 public:
  /// Opens a temporary file beside `path`, with the mode of the file it will replace, or the umask's. A device or a
  /// pipe at `path` is opened itself. Throws IoError.
  explicit OutputFile(const std::filesystem::path& path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Removes the temporary file, if it was not committed.
  ~OutputFile();

  /// Throws IoError.
  void write(std::span<const std::byte> bytes);
  /// Syncs the file, gives it its name and syncs the directory. Throws IoError. Nothing may be written afterwards.
  void commit();

 private:
  void create_beside(unsigned permissions);
  void sync() const;
  [[noreturn]] void fail(int code) const;

  std::string name_;               // as asked for, for messages
  std::filesystem::path path_;     // links followed
  std::filesystem::path written_;  // what is removed on failure; empty when nothing is to be
  platform::File file_;
};

}  // namespace lookalike
