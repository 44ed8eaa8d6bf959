// The library's errors. A message states the value given, the value required and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace lookalike {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// An argument that is never valid. ValueError in Python.
struct InvalidArgument : Error {
  using Error::Error;
};

/// The vectors' dimension differs from the index's.
struct DimensionMismatch : InvalidArgument {
  using InvalidArgument::InvalidArgument;
};

/// The index holds no such id. KeyError in Python.
struct UnknownId : Error {
  using Error::Error;
};

/// A damaged file, or a file of another format.
struct CorruptFile : Error {
  using Error::Error;
};

/// A valid request that this build or object does not support.
struct Unsupported : Error {
  using Error::Error;
};

/// A system call failed. OSError in Python; `code` is errno.
struct IoError : Error {
  IoError(const std::string& message, int error_number) : Error(message), code(error_number) {}
  int code;
};

/// Ctrl-C stopped the operation; all objects remain in a valid state.
struct Interrupted : Error {
  Interrupted() : Error("interrupted") {}
};

}  // namespace lookalike
