#pragma once

/// What can go wrong, as types. The library throws; it never prints, aborts or exits.

#include <stdexcept>
#include <string>

namespace xbar {

/// Kind of failure; the command line maps it to its exit code.
enum class ErrorCode {
  invalid_argument,  ///< the caller's input: shape, range, unknown name (exit code 2)
  io,                ///< a file cannot be read or written, or is malformed (exit code 2)
  numerical,         ///< the computation failed; the message says where (exit code 3)
  interrupted,       ///< stopped by the user; finished work is on disk (exit code 130)
};

/// Base of every exception that xbar throws on purpose.
/// Messages name the argument or file, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

/// The caller's argument is unusable.
class InvalidArgument : public Error {
 public:
  explicit InvalidArgument(const std::string& message)
      : Error(ErrorCode::invalid_argument, message) {}
};

/// A file is missing, unreadable, truncated, of the wrong format, or cannot be written.
class IoError : public Error {
 public:
  explicit IoError(const std::string& message) : Error(ErrorCode::io, message) {}
};

/// A numerical method failed; the message says where and how far it got.
class NumericalError : public Error {
 public:
  explicit NumericalError(const std::string& message) : Error(ErrorCode::numerical, message) {}
};

/// The user asked to stop. Thrown from progress callbacks; the library lets it pass.
class Interrupted : public Error {
 public:
  explicit Interrupted(const std::string& message) : Error(ErrorCode::interrupted, message) {}
};

}  // namespace xbar
