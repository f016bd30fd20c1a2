#pragma once

/// The manual page xbar(1), from the declarations that --help shows.

#include <span>
#include <string>

#include "flag_help.hpp"

namespace xbar::cli {

/// In the man macros of roff.
/// @param commands  of program_help(): the program, then its commands
[[nodiscard]] std::string man_page(std::span<const CommandHelp> commands);

}  // namespace xbar::cli
