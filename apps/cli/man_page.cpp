#include "man_page.hpp"

#include <fmt/format.h>

#include <xbar/core/version.hpp>

namespace xbar::cli {
namespace {

// Text of any kind, as roff prints it: no escapes, no requests, hyphens that can be copied.
std::string roff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool begins = result.empty() || result.back() == '\n';
    if (begins && (c == '.' || c == '\'')) result += "\\&";
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '~') {
      result += "\\(ti";
    } else if (c == '^') {
      result += "\\(ha";
    } else if (begins && c == ' ') {
      continue;  // would end the line above
    } else {
      result += c;
    }
    // Long lists of words may be broken there.
    if (c == '|' || c == ',' || c == ';') result += "\\:";
  }
  return result;
}

std::string value_of(const FlagHelp& flag) {
  return roff(flag.value.substr(0, flag.value.find(':'))) + (flag.several ? " ..." : "");
}

std::string flag_text(const FlagHelp& flag) {
  std::string head;
  for (const std::string& name : flag.names) {
    head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", roff(name));
  }
  if (!flag.value.empty()) {
    head += fmt::format("{}\\fI{}\\fR", head.empty() ? "" : " ", value_of(flag));
  }
  std::string text = fmt::format(".TP\n{}\n{}\n", head, roff(flag.description));
  if (!flag.standard.empty()) text += fmt::format("(default: {})\n", roff(flag.standard));
  return text;
}

std::string flags_text(const CommandHelp& command) {
  std::string text;
  for (const FlagHelp& flag : command.flags) text += flag_text(flag);
  return text;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

}  // namespace

std::string man_page(std::span<const CommandHelp> commands) {
  const CommandHelp& program = commands.front();
  const std::string what = program.description.substr(program.description.find(':') + 2);
  std::string text = fmt::format(
      ".\\\" Written by `xbar man`.\n.TH XBAR 1 \"\" \"xbar {}\" \"User Commands\"\n.ad l\n"
      ".SH NAME\nxbar \\- {}\n"
      ".SH SYNOPSIS\n\\fBxbar\\fR \\fICOMMAND\\fR [\\fIFLAG\\fR ...]\n"
      ".SH DESCRIPTION\nEvery command states its flags with \\fBxbar\\fR \\fICOMMAND\\fR "
      "\\fB\\-\\-help\\fR. Resistances are in ohm, conductances in siemens; a row of a matrix is a "
      "wordline. Any flag may stand in a TOML file that \\fB\\-\\-config\\fR names, under the same "
      "word; the command line comes first.\n",
      version, roff(what));
  text += ".SH OPTIONS\n" + flags_text(program) + ".SH COMMANDS\n";
  for (const CommandHelp& command : commands.subspan(1)) {
    text += fmt::format(".SS \"xbar {}\"\n{}\n{}", command.name, roff(command.description),
                        flags_text(command));
  }
  for (const HelpSection& section : help_sections()) {
    const std::string heading = upper(section.heading);
    text += fmt::format(".SH {}\n", heading == "EXIT CODES" ? "\"EXIT STATUS\"" : heading);
    for (const HelpEntry& entry : section.entries) {
      text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(entry.name), roff(entry.text));
    }
  }
  return text + ".SH \"SEE ALSO\"\n\\fBngspice\\fR(1)\n";
}

}  // namespace xbar::cli
