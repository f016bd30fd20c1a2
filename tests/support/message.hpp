#pragma once

#include <string>

#include "support/catch.hpp"

namespace xbar_test {

/// The message of the `Error` that `call` throws; fails the test if it throws nothing. Another
/// exception passes and fails the test too.
template <typename Error, typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  FAIL("expected an exception, got none");
  return "";
}

/// Whether `text` has `part` in it.
inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace xbar_test
