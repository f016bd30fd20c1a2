#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

const std::string small =
    "calibrate --size 4,6x5 --on-ohm 20e3 --source-ohm 100 --line-ohm 1,5 --distribution uniform "
    "--density 0.5 --models ideal,ladder,exact --arrays 1 --inputs 4 ";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// The table without what differs from run to run: the date, and the last two columns, seconds.
std::vector<std::string> without_times(const std::string& text) {
  std::vector<std::string> lines = lines_of(text);
  lines.at(0).erase(lines.at(0).find("calibrate, "));
  for (std::string& line : lines) {
    if (line.starts_with('#')) continue;
    line.erase(line.rfind(','));
    line.erase(line.rfind(','));
  }
  return lines;
}

}  // namespace

TEST_CASE("cli/calibrate: a table with its provenance", "[cli]") {
  const Scratch scratch;
  const auto outcome = run_xbar(scratch, small + "--out t.csv --plot-out p.svg");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE_THAT(outcome.out, Contains("ladder") && Contains("4 points") && Contains("t.csv"));
  const std::vector<std::string> lines = lines_of(xbar::read_file(scratch("t.csv")));
  REQUIRE_THAT(lines.at(0), Contains("# xbar ") && Contains("calibrate, 20"));
  REQUIRE_THAT(lines.at(1), Contains("# command: xbar calibrate --size 4,6x5 --on-ohm 20000") &&
                                Contains("--seed 1"));
  const auto heading = std::find_if(lines.begin(), lines.end(),
                                    [](const std::string& line) { return line[0] != '#'; });
  REQUIRE_THAT(*heading, Contains("model,rows,columns,on_ohm"));
  REQUIRE(lines.end() - heading == 1 + 4 * 3);  // 2 sizes x 2 lines, 3 models
  REQUIRE_THAT(heading[1], Contains("ideal,4,4,20000,10,100,100,1,1,uniform,0.5,0,0.2,"));
  REQUIRE_THAT(heading[12], Contains("exact,6,5,20000,10,100,100,5,5,uniform"));
  REQUIRE_THAT(xbar::read_file(scratch("p.svg")), Contains("<svg") && Contains("ladder"));
}

TEST_CASE("cli/calibrate: goes on after a kill, with the same result", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, small + "--out whole.csv").code == 0);
  const std::string whole = xbar::read_file(scratch("whole.csv"));
  const std::vector<std::string> lines = lines_of(whole);
  // On disk are always whole points; here the first two of four, as if killed then, with a cost
  // that would never be measured.
  std::string part;
  for (std::size_t k = 0; k + 6 < lines.size(); ++k) part += lines[k] + "\n";
  part.replace(part.rfind(','), std::string::npos, ",12345\n");
  xbar::write_file_atomically(scratch("part.csv"), part);
  const auto resumed = run_xbar(scratch, small + "--out part.csv --resume");
  CAPTURE(resumed.err);
  REQUIRE(resumed.code == 0);
  REQUIRE_THAT(resumed.out, Contains("2 points measured"));
  const std::string again = xbar::read_file(scratch("part.csv"));
  REQUIRE(again.starts_with(part));
  REQUIRE(without_times(again) == without_times(whole));
  // Nothing is left to do, and nothing changes.
  REQUIRE(run_xbar(scratch, small + "--out part.csv --resume").code == 0);
  REQUIRE(xbar::read_file(scratch("part.csv")) == again);
  // --resume of nothing starts from the beginning.
  REQUIRE(run_xbar(scratch, small + "--out new.csv --resume").code == 0);
}

TEST_CASE("cli/calibrate: killed at any moment, the file is whole points", "[cli]") {
  const Scratch scratch;
  const std::string many =
      "calibrate --size 2,3,4,5 --source-ohm 100 --arrays 1 --inputs 4 --models ideal,ladder ";
  REQUIRE(run_xbar(scratch, many + "--out whole.csv").code == 0);
  int kills = 0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    // timeout(1) makes the shell's status 137.
    const std::string milliseconds = std::to_string(30 + 15 * attempt);
    const std::string limit = "0." + std::string(4 - milliseconds.size() - 1, '0') + milliseconds;
    const std::string command = "cd '" + scratch("") + "' && timeout -s KILL " + limit + " '" +
                                XBAR_PROGRAM + "' " + many +
                                "--out part.csv --resume >killed.txt 2>&1";
    const int code = WEXITSTATUS(std::system(command.c_str()));
    CAPTURE(attempt, code, xbar::read_file(scratch("killed.txt")));
    if (code == 0) break;
    REQUIRE(code == 137);
    ++kills;
  }
  REQUIRE(kills > 0);
  REQUIRE(run_xbar(scratch, many + "--out part.csv --resume").code == 0);
  REQUIRE(without_times(xbar::read_file(scratch("part.csv"))) ==
          without_times(xbar::read_file(scratch("whole.csv"))));
}

TEST_CASE("cli/calibrate: Ctrl-C saves and says how to go on", "[cli]") {
  const Scratch scratch;
  const std::string command = "cd '" + scratch("") + "' && timeout -s INT 1 '" + XBAR_PROGRAM +
                              "' calibrate --size 96 --arrays 20 --out t.csv 2>err.txt";
  const int status = std::system(command.c_str());
  // timeout reports 124 whatever the program returned.
  REQUIRE(WEXITSTATUS(status) == 124);
  REQUIRE_THAT(xbar::read_file(scratch("err.txt")),
               Contains("interrupted") && Contains("points are in t.csv") && Contains("--resume"));
}

TEST_CASE("cli/calibrate: a configuration file and --json", "[cli]") {
  const Scratch scratch;
  xbar::write_file_atomically(
      scratch("c.toml"),
      "size = [4, '6x5']\non-ohm = [20e3]\nsource_ohm = 100\nline-ohm = [1, 5]\n"
      "distribution = ['uniform']\ndensity = 0.5\nmodels = ['ideal', 'ladder', 'exact']\n"
      "arrays = 1\ninputs = 4\n");
  const auto outcome = run_xbar(scratch, "calibrate --config c.toml --out t.csv --json");
  CAPTURE(outcome.err);
  REQUIRE(outcome.code == 0);
  const auto json = nlohmann::json::parse(outcome.out);
  REQUIRE(json.at("points") == 4);
  REQUIRE(json.at("members").size() == 3);
  REQUIRE(json.at("members").at(2).at("model") == "exact");
  REQUIRE(json.at("members").at(0).at("median_relative_error").get<double>() >
          json.at("members").at(1).at("median_relative_error").get<double>());
  // The same table as by flags.
  REQUIRE(run_xbar(scratch, small + "--out flags.csv").code == 0);
  REQUIRE(without_times(xbar::read_file(scratch("t.csv"))) ==
          without_times(xbar::read_file(scratch("flags.csv"))));
}

TEST_CASE("cli/calibrate: bad input leaves nothing behind", "[cli]") {
  const Scratch scratch;
  const auto refused = [&scratch](const std::string& arguments) {
    const auto outcome = run_xbar(scratch, "calibrate " + arguments);
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE(!std::filesystem::exists(scratch("t.csv")));
    return outcome.err;
  };
  REQUIRE_THAT(refused(""), Contains("--out is required"));
  REQUIRE_THAT(refused("--out t.csv --size 4x"), Contains("--size") && Contains("'4x'"));
  REQUIRE_THAT(refused("--out t.csv --size 0"), Contains("rows") && Contains("got 0"));
  REQUIRE_THAT(refused("--out t.csv --models lader"), Contains("did you mean ladder?"));
  REQUIRE_THAT(refused("--out t.csv --models ideal,ideal"), Contains("ideal is given twice"));
  REQUIRE_THAT(refused("--out t.csv --distribution unifrom"), Contains("did you mean uniform?"));
  REQUIRE_THAT(refused("--out t.csv --density 2"), Contains("density"));
  REQUIRE_THAT(refused("--out t.csv --arrays 0"), Contains("arrays"));
  REQUIRE_THAT(refused("--out t.csv --wordline-ohm 1"), Contains("--bitline-ohm"));
}

TEST_CASE("cli/calibrate: a table is not overwritten, nor mixed with another", "[cli]") {
  const Scratch scratch;
  REQUIRE(run_xbar(scratch, small + "--out t.csv").code == 0);
  const std::string before = xbar::read_file(scratch("t.csv"));
  REQUIRE_THAT(run_xbar(scratch, small + "--out t.csv").err, Contains("--resume"));
  const auto other = run_xbar(scratch, small + "--out t.csv --resume --seed 2");
  REQUIRE(other.code == 2);
  REQUIRE_THAT(other.err, Contains("--seed 1") && Contains("--seed 2"));
  REQUIRE(xbar::read_file(scratch("t.csv")) == before);
  xbar::write_file_atomically(scratch("mine.csv"),
                              "# mine\n" + before.substr(before.find("model,")));
  REQUIRE_THAT(run_xbar(scratch, small + "--out mine.csv --resume").err, Contains("'mine'"));
}
