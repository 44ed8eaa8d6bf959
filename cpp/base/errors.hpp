// Few errors, thrown at the door. A message says what came, what was needed and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace lookalike {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An argument that can never work. ValueError in Python.
struct InvalidArgument : Error {
  using Error::Error;
};

/// Vectors of one dimension met an index of another. An InvalidArgument.
struct DimensionMismatch : InvalidArgument {
  using InvalidArgument::InvalidArgument;
};

/// An id that names nothing here. KeyError in Python.
struct UnknownId : Error {
  using Error::Error;
};

/// A file whose bytes are not what was written, or not ours.
struct CorruptFile : Error {
  using Error::Error;
};

/// A valid request this build or this object cannot serve.
struct Unsupported : Error {
  using Error::Error;
};

/// The operating system refused. OSError in Python; `code` is errno.
struct IoError : Error {
  IoError(const std::string& message, int error_number) : Error(message), code(error_number) {}
  int code;
};

/// Ctrl-C arrived: the operation stopped and left valid state behind.
struct Interrupted : Error {
  Interrupted() : Error("interrupted") {}
};

}  // namespace lookalike
