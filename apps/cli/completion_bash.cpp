#include <fmt/format.h>

#include "completion.hpp"

namespace xbar::cli {
namespace {

// bash splits words at '=', and at nothing else that flags have.
constexpr std::string_view head = R"sh(# bash completion for xbar, written by `xbar completion bash`
_xbar() {
  local cur=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' words='' paths='' before='' list='' i
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $flag == '=' ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      command=${COMP_WORDS[i]}
      break
    fi
  done
  case $command:$flag in
)sh";

constexpr std::string_view middle = R"sh(  *)
    case $command in
)sh";

constexpr std::string_view tail = R"sh(    esac
    ;;
  esac
  if [[ -n $list && $cur == *,* ]]; then
    before=${cur%,*},
    cur=${cur##*,}
  fi
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -P "$before" -W "$words" -- "$cur")
  fi
  if [[ -n $paths ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$paths" -- "$cur")
  fi
}
complete -F _xbar xbar
)sh";

// What sets `words` and `paths` to the values of a flag.
std::string values(const FlagHelp& flag) {
  std::string text;
  const std::vector<std::string> words = plain_words(flag);
  if (!words.empty())
    text += fmt::format("words={}", shell_quoted(fmt::to_string(fmt::join(words, " "))));
  if (flag.takes_file() || flag.takes_folder()) {
    text += fmt::format("{}paths={}", text.empty() ? "" : " ", flag.takes_file() ? "-f" : "-d");
  }
  if (flag.several && !words.empty()) text += " list=yes";
  return text.empty() ? ":" : text;
}

}  // namespace

std::string bash_completion(std::span<const CommandHelp> commands) {
  std::string text(head);
  for (const CommandHelp& command : commands) {
    for (const FlagHelp& flag : command.flags) {
      if (flag.names.empty() || flag.value.empty()) continue;
      for (const std::string& name : flag.names) {
        text += fmt::format("  {}:{}) {} ;;\n", command.name, name, values(flag));
      }
    }
  }
  text += middle;
  for (const CommandHelp& command : commands) {
    std::vector<std::string> flags;
    std::string arguments;
    for (const FlagHelp& flag : command.flags) {
      flags.insert(flags.end(), flag.names.begin(), flag.names.end());
      if (flag.names.empty()) arguments = values(flag);
    }
    if (command.name.empty()) {
      std::vector<std::string> names;
      for (const CommandHelp& other : commands.subspan(1)) names.push_back(other.name);
      arguments = fmt::format("words={}", shell_quoted(fmt::to_string(fmt::join(names, " "))));
    }
    const std::string all = shell_quoted(fmt::to_string(fmt::join(flags, " ")));
    text += fmt::format("    {})\n", command.name.empty() ? "''" : command.name);
    if (arguments.empty()) {
      text += fmt::format("      words={}\n", all);
    } else {
      text +=
          fmt::format("      if [[ $cur == -* ]]; then words={}; else {}; fi\n", all, arguments);
    }
    text += "      ;;\n";
  }
  return text + std::string(tail);
}

}  // namespace xbar::cli
