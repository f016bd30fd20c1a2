#pragma once

/// Scripts that complete xbar's commands, flags and their values in a shell.

#include <span>
#include <string>
#include <string_view>

#include "flag_help.hpp"

namespace xbar::cli {

/// @param commands  of program_help(): the program, then its commands
[[nodiscard]] std::string bash_completion(std::span<const CommandHelp> commands);
[[nodiscard]] std::string zsh_completion(std::span<const CommandHelp> commands);
[[nodiscard]] std::string fish_completion(std::span<const CommandHelp> commands);

/// `text` between single quotes, as all three shells read it.
[[nodiscard]] std::string shell_quoted(std::string_view text);

/// The words of a flag that can be typed as they stand.
[[nodiscard]] std::vector<std::string> plain_words(const FlagHelp& flag);

}  // namespace xbar::cli
