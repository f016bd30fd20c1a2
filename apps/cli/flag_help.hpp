#pragma once

/// What the declarations of commands and flags say, as --help, the man page and shell completion
/// need it: one source for all of them.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace xbar::cli {

/// One flag, or an argument without a name.
struct FlagHelp {
  std::vector<std::string> names;  ///< "-h", "--help"; empty: an argument
  std::string value;  ///< what it takes: "FLOAT", "FILE", "line|direct"; empty: nothing
  std::string description;
  std::string standard;  ///< its value where it is not given; may be empty
  bool several = false;  ///< takes a list, or may be repeated

  /// The words that it takes, as they stand in `value`; those with capitals (FILE, mnist=DIR) are
  /// for something else. Empty if it takes anything.
  [[nodiscard]] std::vector<std::string> words() const;
  [[nodiscard]] bool takes_file() const;
  [[nodiscard]] bool takes_folder() const;
};

/// A command, or (without a name) the program itself.
struct CommandHelp {
  std::string name;
  std::string description;
  std::vector<FlagHelp> flags;
};

[[nodiscard]] CommandHelp command_help(const CLI::App& app);

/// The program, then its commands.
[[nodiscard]] std::vector<CommandHelp> program_help(const CLI::App& program);

/// Whether a word of FlagHelp::words() stands for something else.
[[nodiscard]] bool is_placeholder(const std::string& word);

/// A row of the lists that follow the commands in --help and in the man page.
struct HelpEntry {
  const char* name;
  const char* text;
};
struct HelpSection {
  const char* heading;
  std::vector<HelpEntry> entries;
};
/// Environment variables and exit codes.
[[nodiscard]] std::vector<HelpSection> help_sections();

/// @throws InvalidArgument for a value that is none of the words its flag takes, with the nearest
void check_words(const CLI::App& app);

}  // namespace xbar::cli
