#pragma once

/// TOML configuration: the keys are the command's flags without the dashes.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace xbar::cli {

/// Long names of the app's flags, "--wordline-ohm".
[[nodiscard]] std::vector<std::string> flag_names(const CLI::App& app);

/// Whether a flag says what to run, not how (--help, --config, --quiet, --verbose): those that do
/// are keys of configuration files.
[[nodiscard]] bool is_setting(const CLI::Option& option);

/// The values of a flag as texts, given or default.
[[nodiscard]] std::vector<std::string> flag_values(const CLI::Option& option);

/// `flag = value` in TOML, which apply_config reads; a comment if not `active` or without a value.
[[nodiscard]] std::string config_line(const CLI::Option& option, bool active);

/// Sets every flag that the command line did not set from the file. A key may be written with '_'
/// for '-'.
/// @throws IoError if the file cannot be read or is not TOML (line and column are named);
///         InvalidArgument for an unknown key (suggests the nearest) or a value of the wrong type
void apply_config(const std::filesystem::path& path, CLI::App& app);

/// The same from the text of a file named `origin`.
void apply_config(std::string_view text, const std::string& origin, CLI::App& app);

}  // namespace xbar::cli
