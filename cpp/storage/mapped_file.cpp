#include "storage/mapped_file.hpp"

#include <sys/mman.h>

#include <cerrno>

#include "storage/io_error.hpp"

namespace lookalike {

MappedFile::MappedFile(const InputFile& file) {
  const auto length = static_cast<std::size_t>(file.size());
  void* const address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.descriptor(), 0);
  if (address == MAP_FAILED) throw io_error("map " + file.name(), errno);
  bytes_ = {static_cast<const std::byte*>(address), length};
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size()); }

}  // namespace lookalike
