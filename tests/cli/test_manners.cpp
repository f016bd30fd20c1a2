#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::Outcome;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

// On a terminal of its own, where stdout and stderr are one.
Outcome run_on_terminal(const Scratch& scratch, const std::string& environment,
                        const std::string& arguments) {
  const std::string command = "cd '" + scratch("") + "' && " + environment +
                              " TERM=xterm script -qec \"'" XBAR_PROGRAM "' " + arguments +
                              "\" /dev/null >terminal.txt </dev/null";
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), xbar::read_file(scratch("terminal.txt")), ""};
}

bool has_script() { return std::system("command -v script >/dev/null") == 0; }

void write_array(const Scratch& scratch) {
  xbar::write_file_atomically(scratch("G.csv"), "1e-3,2e-3\n3e-3,4e-3\n");
  xbar::write_file_atomically(scratch("V.csv"), "1\n2\n");
}

const char* const solve = "solve --conductance G.csv --voltage V.csv --wordline-ohm 1";
const char* const calibrate =
    "calibrate --size 4,5 --on-ohm 1e4 --line-ohm 1 --arrays 1 --inputs 1 --models ladder";

}  // namespace

TEST_CASE("cli/manners: quiet leaves results and errors, and changes no result", "[cli]") {
  const Scratch scratch;
  write_array(scratch);
  const Outcome plain = run_xbar(scratch, std::string(solve) + " --json");
  const Outcome quiet = run_xbar(scratch, std::string("--quiet ") + solve + " --json");
  REQUIRE(quiet.code == 0);
  CHECK(quiet.err.empty());
  // Times differ.
  CHECK(quiet.out.substr(0, quiet.out.find("report")) ==
        plain.out.substr(0, plain.out.find("report")));

  const Outcome loud = run_xbar(scratch, std::string(calibrate) + " --out a.csv");
  REQUIRE_THAT(loud.out, Contains("written to a.csv") && Contains("ladder"));
  const Outcome calm = run_xbar(scratch, std::string(calibrate) + " --out b.csv --quiet");
  REQUIRE_THAT(calm.out, Contains("ladder") && !Contains("written to"));
  const Outcome wrong = run_xbar(scratch, "--quiet solve");
  REQUIRE(wrong.code == 2);
  REQUIRE_THAT(wrong.err, Contains("--conductance is required"));
}

TEST_CASE("cli/manners: verbose tells versions, settings, phases and times on stderr", "[cli]") {
  const Scratch scratch;
  write_array(scratch);
  const Outcome verbose = run_xbar(scratch, std::string(solve) + " --verbose --json");
  REQUIRE(verbose.code == 0);
  REQUIRE(verbose.out.front() == '{');  // stdout is still one JSON object
  for (const char* part :
       {"gemm_engine", "threads", "--wordline-ohm 1", "solve: 0.", "solve took"}) {
    CHECK_THAT(verbose.err, Contains(part));
  }
  const Outcome measured =
      run_xbar(scratch, std::string("--verbose ") + calibrate + " --out a.csv");
  CHECK_THAT(measured.err, Contains("calibrate took") && Contains("MB of memory"));
  const Outcome both = run_xbar(scratch, std::string(solve) + " --verbose --quiet");
  REQUIRE(both.code == 2);
  CHECK_THAT(both.err, Contains("--quiet") && Contains("--verbose"));
}

TEST_CASE("cli/manners: neither flag becomes a setting of a run or a key of a file", "[cli]") {
  const Scratch scratch;
  const Outcome run = run_xbar(scratch, "device --model vteam --out run --quiet");
  CHECK(run.out.find("written to") == std::string::npos);
  REQUIRE(run.code == 0);
  CHECK_THAT(xbar::read_file(scratch("run/run.json")), !Contains("\"quiet\""));
  xbar::write_file_atomically(scratch("a.toml"), "quite = true\n");
  const Outcome key = run_xbar(scratch, "device --config a.toml");
  REQUIRE(key.code == 2);
  CHECK_THAT(key.err, Contains("unknown key 'quite'") && !Contains("did you mean quiet"));
}

TEST_CASE("cli/manners: bars and colours are for terminals, and NO_COLOR is heeded", "[cli]") {
  if (!has_script()) {
    WARN("skipped: script(1), which gives a terminal, is not there");
    return;
  }
  const Scratch scratch;
  const std::string escape = "\033[";
  const std::string red = "\033[1;31m";
  const Outcome colourful = run_on_terminal(scratch, "NO_COLOR=", "sovle");
  CHECK(colourful.code == 2);
  CHECK_THAT(colourful.out, Contains(red + "xbar:"));
  CHECK_THAT(run_on_terminal(scratch, "NO_COLOR=1", "sovle").out,
             Contains("xbar: unknown command") && !Contains(escape));
  CHECK_THAT(run_xbar(scratch, "sovle").err, !Contains(escape));

  const std::string slow =
      "calibrate --size 96,100 --on-ohm 1e4 --line-ohm 1,2 --arrays 4 --inputs 4 --models exact";
  const Outcome bar = run_on_terminal(scratch, "NO_COLOR=", slow + " --out a.csv");
  REQUIRE(bar.code == 0);
  CHECK_THAT(bar.out, Contains("\r") && Contains("╌") && Contains(" %") && Contains(" left"));
  // The last thing that the bar does is to clear its line.
  CHECK(bar.out.rfind("\r\033[K") > bar.out.rfind("╌"));
  CHECK_THAT(run_on_terminal(scratch, "NO_COLOR=", "--quiet " + slow + " --out b.csv").out,
             !Contains("╌"));
  const Outcome file = run_xbar(scratch, slow + " --out c.csv");
  REQUIRE(file.code == 0);
  CHECK(file.err.empty());
}

TEST_CASE("cli/manners: mistyped words get the nearest, wherever they stand", "[cli]") {
  const Scratch scratch;
  const auto expect = [&](const std::string& arguments, const std::string& meant) {
    INFO(arguments);
    const Outcome outcome = run_xbar(scratch, arguments);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains("did you mean " + meant + "?"));
    CHECK(outcome.out.empty());
  };
  expect("--quiet sovle", "solve");
  expect("--quite solve", "--quiet");
  expect("solve --verbos", "--verbose");
  expect("solve --conductance G.npy --voltage V.npy --method lien", "line");
  expect("effective --conductance G.npy --out x.npy --direction backwards", "backward");
  expect("train --model mlp --data glyphs --optimizer adm", "adam");
  expect("remap --model mlp --data glyphs --strategy none,otpimal --out x", "optimal");
  expect("completion bsh", "bash");
  xbar::write_file_atomically(scratch("a.toml"), "schedule = \"cosin\"\n");
  expect("train --model mlp --data glyphs --config a.toml", "cosine");
  xbar::write_file_atomically(scratch("b.toml"), "learning_rte = 1\n");
  expect("train --model mlp --data glyphs --config b.toml", "learning-rate");
}
