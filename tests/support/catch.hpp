#pragma once

/// The one place that knows whether Catch2 is version 2 (Debian 12) or 3.

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace xbar_test {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

/// Matches a string that contains `part`.
// NOLINTNEXTLINE(readability-identifier-naming): the matcher keeps the name that Catch2 gives it.
inline auto Contains(const std::string& part) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(part);
#else
  return Catch::Matchers::Contains(part);
#endif
}

}  // namespace xbar_test
