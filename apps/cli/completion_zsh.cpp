#include <fmt/format.h>

#include "completion.hpp"

namespace xbar::cli {
namespace {

// In the specifications of _arguments brackets and colons have a meaning.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string values(const FlagHelp& flag) {
  const std::vector<std::string> words = plain_words(flag);
  const std::string list = fmt::to_string(fmt::join(words, " "));
  std::string action = " ";
  if (flag.takes_folder()) {
    action = "_files -/";
  } else if (flag.takes_file()) {
    action = words.empty()
                 ? "_files"
                 : fmt::format("_alternative \"word:word:({})\" \"file:file:_files\"", list);
  } else if (flag.several && !words.empty()) {
    action = fmt::format("_sequence compadd - {}", list);
  } else if (!words.empty()) {
    action = fmt::format("({})", list);
  }
  return ":value:" + action;
}

std::string specifications(const CommandHelp& command) {
  std::string text;
  for (const FlagHelp& flag : command.flags) {
    if (flag.names.empty()) text += fmt::format(" \\\n    {}", shell_quoted("*" + values(flag)));
    for (const std::string& name : flag.names) {
      text += fmt::format(" \\\n    {}",
                          shell_quoted(fmt::format(
                              "{}{}{}[{}]{}", flag.several ? "*" : "", name,
                              flag.value.empty() || name.rfind("--", 0) != 0 ? "" : "=",
                              escaped(flag.description), flag.value.empty() ? "" : values(flag))));
    }
  }
  return text;
}

}  // namespace

std::string zsh_completion(std::span<const CommandHelp> commands) {
  std::string text =
      "#compdef xbar\n# zsh completion for xbar, written by `xbar completion zsh`\n"
      "_xbar() {\n  local context state state_descr line curcontext=$curcontext\n"
      "  typeset -A opt_args\n  local -a commands\n";
  text += "  _arguments -C" + specifications(commands.front()) +
          " \\\n    '1:command:->command' '*::argument:->argument'\n";
  text += "  case $state in\n  command)\n    commands=(\n";
  for (const CommandHelp& command : commands.subspan(1)) {
    text +=
        fmt::format("      {}\n", shell_quoted(command.name + ":" + escaped(command.description)));
  }
  text += "    )\n    _describe command commands\n    ;;\n  argument)\n    case $words[1] in\n";
  for (const CommandHelp& command : commands.subspan(1)) {
    text += fmt::format("    {}) _arguments{} ;;\n", command.name, specifications(command));
  }
  text += "    esac\n    ;;\n  esac\n}\n";
  // In a file of $fpath this is the function's first call; sourced, it has to be told to zsh.
  text += "if [[ $funcstack[1] == _xbar ]]; then _xbar \"$@\"; else compdef _xbar xbar; fi\n";
  return text;
}

}  // namespace xbar::cli
