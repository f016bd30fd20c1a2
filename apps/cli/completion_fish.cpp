#include <fmt/format.h>

#include "completion.hpp"

namespace xbar::cli {
namespace {

// In fish a backslash counts inside single quotes, too.
std::string fish_quoted(std::string_view text) {
  std::string doubled;
  for (const char c : text) {
    if (c == '\\') doubled += '\\';
    doubled += c;
  }
  std::string result = shell_quoted(doubled);
  for (std::size_t at = 0; (at = result.find("'\\''", at)) != std::string::npos; at += 2) {
    result.replace(at, 4, "\\'");
  }
  return result;
}

std::string values(const FlagHelp& flag) {
  const std::vector<std::string> words = plain_words(flag);
  std::string text;
  if (!words.empty()) text += " -a " + fish_quoted(fmt::to_string(fmt::join(words, " ")));
  const char* needed = flag.names.empty() ? "" : flag.takes_file() ? " -r" : " -x";
  if (flag.takes_folder()) text += " -a '(__fish_complete_directories)'";
  return needed + text + (flag.takes_file() ? " -F" : "");
}

}  // namespace

std::string fish_completion(std::span<const CommandHelp> commands) {
  std::string text =
      "# fish completion for xbar, written by `xbar completion fish`\n"
      "complete -c xbar -e\ncomplete -c xbar -f\n";
  for (const CommandHelp& command : commands) {
    const std::string where =
        command.name.empty()
            ? "__fish_use_subcommand"
            : fish_quoted(fmt::format("__fish_seen_subcommand_from {}", command.name));
    if (!command.name.empty()) {
      text += fmt::format("complete -c xbar -n __fish_use_subcommand -a {} -d {}\n", command.name,
                          fish_quoted(command.description));
    }
    for (const FlagHelp& flag : command.flags) {
      std::string line = fmt::format("complete -c xbar -n {}", where);
      for (const std::string& name : flag.names) {
        line += name.rfind("--", 0) == 0 ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (!flag.value.empty()) line += values(flag);
      text += fmt::format("{} -d {}\n", line, fish_quoted(flag.description));
    }
  }
  return text;
}

}  // namespace xbar::cli
