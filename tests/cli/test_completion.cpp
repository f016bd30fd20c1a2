#include <set>
#include <sstream>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

bool there(const std::string& tool) {
  if (std::system(("command -v " + tool + " >/dev/null").c_str()) == 0) return true;
  WARN("skipped: " + tool + " is not there");
  return false;
}

// Runs a script of `shell` in the folder of `scratch`. @return the lines that it prints
std::set<std::string> lines_of(const Scratch& scratch, const std::string& shell,
                               const std::string& script) {
  xbar::write_file_atomically(scratch("script"), script);
  const std::string command = "cd '" + scratch("") + "' && " + shell + " script >lines.txt 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
  std::set<std::string> lines;
  std::istringstream text(xbar::read_file(scratch("lines.txt")));
  for (std::string line; std::getline(text, line);) lines.insert(line);
  return lines;
}

// What bash offers for these words, the last of which is being typed.
std::set<std::string> bash_offers(const Scratch& scratch, const std::string& words) {
  return lines_of(scratch, "bash --norc",
                  "source completion.bash\nCOMP_WORDS=(" + words +
                      ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_xbar\n"
                      "if ((${#COMPREPLY[@]})); then printf '%s\\n' \"${COMPREPLY[@]}\"; fi\n");
}

// What fish offers, without descriptions.
std::set<std::string> fish_offers(const Scratch& scratch, const std::string& line) {
  return lines_of(
      scratch, "fish --no-config",
      "source completion.fish\ncomplete -C '" + line + "' | string replace -r '\\t.*' ''\ntrue\n");
}

using Words = std::set<std::string>;

}  // namespace

TEST_CASE("cli/completion: bash offers commands, flags, words and paths", "[cli]") {
  if (!there("bash")) return;
  const Scratch scratch;
  xbar::write_file_atomically(scratch("completion.bash"), run_xbar(scratch, "completion bash").out);
  std::filesystem::create_directory(scratch("a folder"));
  xbar::write_file_atomically(scratch("G.npy"), "");

  CHECK(bash_offers(scratch, "xbar s") == Words{"solve", "spice", "sweep"});
  CHECK(bash_offers(scratch, "xbar --q") == Words{"--quiet"});
  CHECK(bash_offers(scratch, "xbar --quiet eff") == Words{"effective"});
  CHECK(bash_offers(scratch, "xbar solve --wo") == Words{"--wordline-ohm"});
  CHECK(bash_offers(scratch, "xbar solve --method ''") == Words{"line", "direct"});
  CHECK(bash_offers(scratch, "xbar solve --method = d") == Words{"direct"});
  CHECK(bash_offers(scratch, "xbar solve --method =") == Words{"line", "direct"});
  CHECK(bash_offers(scratch, "xbar solve --conductance G") == Words{"G.npy"});
  CHECK(bash_offers(scratch, "xbar train --out ''") == Words{"a folder"});
  CHECK(bash_offers(scratch, "xbar report a") == Words{"a folder"});
  CHECK(bash_offers(scratch, "xbar train --epochs ''").empty());
  CHECK(bash_offers(scratch, "xbar remap --strategy srs,o") == Words{"srs,optimal"});
  CHECK(bash_offers(scratch, "xbar completion ''") == Words{"bash", "zsh", "fish"});
  // The same flag of another command.
  CHECK(bash_offers(scratch, "xbar device --model v") == Words{"vteam"});
}

TEST_CASE("cli/completion: every flag that --help lists is offered", "[cli]") {
  if (!there("bash")) return;
  const Scratch scratch;
  xbar::write_file_atomically(scratch("completion.bash"), run_xbar(scratch, "completion bash").out);
  const Words commands = bash_offers(scratch, "xbar ''");
  REQUIRE(commands.size() >= 19);
  for (const std::string& command : commands) {
    INFO(command);
    Words flags;
    std::istringstream help(run_xbar(scratch, command + " --help").out);
    for (std::string line; std::getline(help, line);) {
      const std::size_t at = line.find("--");
      if (line.rfind("  -", 0) != 0 || at == std::string::npos || at > 5) continue;
      flags.insert(line.substr(at, line.find_first_of(" ,=", at) - at));
    }
    REQUIRE(flags.count("--quiet") == 1);
    CHECK(bash_offers(scratch, "xbar " + command + " --") == flags);
  }
}

TEST_CASE("cli/completion: fish offers commands, flags, words and paths", "[cli]") {
  if (!there("fish")) return;
  const Scratch scratch;
  xbar::write_file_atomically(scratch("completion.fish"), run_xbar(scratch, "completion fish").out);
  std::filesystem::create_directory(scratch("folder"));
  xbar::write_file_atomically(scratch("forward.npy"), "");

  CHECK(fish_offers(scratch, "xbar s") == Words{"solve", "spice", "sweep"});
  CHECK(fish_offers(scratch, "xbar solve --wo") == Words{"--wordline-ohm"});
  CHECK(fish_offers(scratch, "xbar solve --method ") == Words{"line", "direct"});
  CHECK(fish_offers(scratch, "xbar solve --conductance for") == Words{"forward.npy"});
  CHECK(fish_offers(scratch, "xbar train --out fo") == Words{"folder/"});
  CHECK(fish_offers(scratch, "xbar completion z") == Words{"zsh"});
  CHECK(fish_offers(scratch, "xbar train --epochs ").empty());
}

TEST_CASE("cli/completion: zsh offers commands, flags and words", "[cli]") {
  if (!there("zsh")) return;
  const Scratch scratch;
  xbar::write_file_atomically(scratch("completion.zsh"), run_xbar(scratch, "completion zsh").out);
  // A shell on a terminal of its own types the line, presses tab and shows what became of it.
  const auto completed = [&](const std::string& line) {
    const Words lines = lines_of(scratch, "zsh -f", R"zsh(
zmodload zsh/zpty
zpty shell 'PS1=; zsh -f -i'
zpty -w shell 'PS1= RPS1=; autoload -Uz compinit; compinit -D -u; source ./completion.zsh'
zpty -w shell 'unsetopt zle_bracketed_paste 2>/dev/null; bindkey "^I" complete-word; show() { print -r -- "<$BUFFER>"; BUFFER=; zle accept-line }; zle -N show; bindkey "^X" show; print REA""DY'
zpty -r shell text '*READY*'
zpty -w -n shell $')zsh" + line + R"zsh(\t\x18'
zpty -r shell text '*<*>*'
print -r -- "<${${text##*<}%%>*}>"
)zsh");
    return *lines.begin();
  };
  CHECK(completed("xbar sol") == "<xbar solve >");
  CHECK(completed("xbar solve --wordl") == "<xbar solve --wordline-ohm=>");
  CHECK(completed("xbar solve --method dir") == "<xbar solve --method direct >");
  // zsh takes the comma back when a space follows.
  CHECK(completed("xbar remap --strategy srs,opt") == "<xbar remap --strategy srs,optimal,>");
}

TEST_CASE("cli/completion: the manual page is without complaints and complete", "[cli]") {
  const Scratch scratch;
  const auto man = run_xbar(scratch, "man");
  REQUIRE(man.code == 0);
  xbar::write_file_atomically(scratch("xbar.1"), man.out);
  const std::string scripts = run_xbar(scratch, "completion bash").out;
  for (const char* part :
       {".SS \"xbar solve\"", "\\-\\-wordline\\-ohm", "EXIT STATUS", "NO_COLOR"}) {
    CHECK_THAT(man.out, Contains(part));
  }
  if (!there("groff")) return;
  const std::string command =
      "cd '" + scratch("") + "' && groff -ww -k -man -Tutf8 xbar.1 >page.txt 2>complaints.txt";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(xbar::read_file(scratch("complaints.txt")).empty());
  CHECK_THAT(xbar::read_file(scratch("page.txt")),
             Contains("wordline resistance from cell to cell"));
}
