#pragma once

/// TOML as all of xbar reads it: toml++ with what its version 3.3 needs around it.

#include <string>
#include <string_view>

// In toml++ 3.3 an assertion fails for files such as "[[=", which the code behind it refuses. All
// that includes it must agree: its functions are inline.
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

namespace xbar {

/// Reads a whole file.
/// @param file  its name, for messages: "net.toml:12:3: not TOML: ..."
/// @throws IoError with line and column for what is not TOML
[[nodiscard]] toml::table parse_toml(std::string_view text, const std::string& file);

}  // namespace xbar
