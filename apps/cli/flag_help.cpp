#include "flag_help.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::cli {
namespace {

FlagHelp flag_help(const CLI::Option& option) {
  FlagHelp flag;
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  flag.description = option.get_description();
  if (option.get_items_expected_max() == 0) return flag;
  // Behind a colon CLI11 names the checks.
  flag.value = option.get_type_name();
  flag.value = flag.names.empty() && flag.value == "TEXT" ? option.get_name(true) : flag.value;
  flag.several = option.get_items_expected_max() > 1;
  flag.standard = option.get_default_str();
  if (flag.standard == "[]" || flag.standard == "\"\"") flag.standard.clear();
  return flag;
}

}  // namespace

std::vector<std::string> FlagHelp::words() const {
  std::vector<std::string> result;
  if (value.find('|') == std::string::npos) return result;
  for (std::istringstream parts(value.substr(0, value.find(':')));;) {
    std::string word;
    if (!std::getline(parts, word, '|')) return result;
    result.push_back(word);
  }
}

bool FlagHelp::takes_file() const { return value.find("FILE") != std::string::npos; }

bool FlagHelp::takes_folder() const { return value.rfind("DIR", 0) == 0; }

bool is_placeholder(const std::string& word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

CommandHelp command_help(const CLI::App& app) {
  CommandHelp command{app.get_parent() == nullptr ? "" : app.get_name(), app.get_description(), {}};
  for (const CLI::Option* option : app.get_options()) {
    // --help does not list those without a group either: they are there to be refused.
    if (!option->get_group().empty()) command.flags.push_back(flag_help(*option));
  }
  return command;
}

std::vector<CommandHelp> program_help(const CLI::App& program) {
  std::vector<CommandHelp> commands{command_help(program)};
  for (const CLI::App* app : program.get_subcommands(nullptr)) {
    commands.push_back(command_help(*app));
  }
  return commands;
}

std::vector<HelpSection> help_sections() {
  return {{"Environment",
           {{"NO_COLOR", "no colours on a terminal"},
            {"OMP_NUM_THREADS", "number of threads"},
            {"OMP_WAIT_POLICY", "how threads wait; xbar sets passive where it is not set"},
            {"XBAR_ISA", "baseline, avx2 or avx512: the best instruction set that kernels use"},
            {"XBAR_DATA", "folder of the data sets that --data names without one"}}},
          {"Exit codes",
           {{"0", "done"},
            {"1", "a check that was asked for failed"},
            {"2", "bad arguments or input; nothing was written"},
            {"3", "numerical failure; the message says where"},
            {"130", "interrupted; what was finished is on disk"}}}};
}

void check_words(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const std::vector<std::string> words = flag_help(*option).words();
    if (words.empty() || std::any_of(words.begin(), words.end(), is_placeholder)) continue;
    for (const std::string& value : option->results()) {
      if (std::find(words.begin(), words.end(), value) != words.end()) continue;
      throw InvalidArgument(fmt::format("{}: expected one of {}, got '{}'{}", option->get_name(),
                                        fmt::join(words, ", "), value, did_you_mean(value, words)));
    }
  }
}

}  // namespace xbar::cli
