#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

// VTEAM cells of 10 kohm to 100 kohm with thresholds of 1 V, that 2 V switches in 1 us.
const std::string cell =
    "--model vteam --parameter on_ohm=1e4 --parameter off_ohm=1e5 --parameter v_on_volt=-1 "
    "--parameter v_off_volt=1 --parameter k_on_metre_per_second=-3e-3 "
    "--parameter k_off_metre_per_second=3e-3 --parameter alpha_off=3 ";
const std::string pulses =
    "--pulse-second 1e-7 --start-volt 1.2 --step-volt 0.05 --max-volt 2 --tolerance 0.02 ";
const std::string wires = "--source-ohm 100 --sink-ohm 100 --wordline-ohm 10 --bitline-ohm 10 ";

std::string bytes(const Scratch& scratch, const std::string& name) {
  return xbar::read_file(scratch(name));
}

// Starts "xbar ARGUMENTS" in the folder `scratch`, waits until `file` has `size` bytes, sends the
// signal and returns how the program ended.
int run_until(const Scratch& scratch, const std::vector<std::string>& arguments,
              const std::string& file, std::uintmax_t size, int signal) {
  const pid_t child = fork();
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) dup2(null, stream);
    if (chdir(scratch("").c_str()) != 0) _exit(99);
    std::vector<char*> argv;
    std::string program = XBAR_PROGRAM;
    argv.push_back(program.data());
    std::vector<std::string> copies = arguments;
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    execv(XBAR_PROGRAM, argv.data());
    _exit(98);
  }
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::error_code missing;
  for (std::uintmax_t now = 0; now < size && std::chrono::steady_clock::now() < give_up;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    now = std::filesystem::file_size(scratch(file), missing);
    if (missing) now = 0;
  }
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find(' ', begin);
    if (end == std::string::npos) end = text.size();
    if (end > begin) result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

}  // namespace

TEST_CASE("cli/program_command: targets are reached, and the folder holds what happened", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), random_matrix(4, 3, 1.2e-5, 8e-5, 7));
  const auto run =
      run_xbar(scratch, "program --targets G.npy --by row --bias v/3 --json --out run " + cell +
                            pulses + wires);
  CAPTURE(run.out, run.err);
  REQUIRE(run.code == 0);
  CHECK(run.err.empty());
  const auto report = nlohmann::json::parse(run.out);
  CHECK(report.at("reached") == 12);
  CHECK(report.at("worst_error").get<double>() <= 0.02);
  CHECK(report.at("energy_imbalance").get<double>() <= 1e-6);
  CHECK(report.at("largest_disturb").at("value") == 0);
  const auto run_file = nlohmann::json::parse(bytes(scratch, "run/run.json"));
  CHECK(run_file.at("finished") == true);
  CHECK(run_file.at("results") == report);
  CHECK(run_file.at("settings").at("bias") == "v/3");
  const auto results = xbar::read_npz(scratch("run/results.npz"));
  CHECK(xbar_test::relative_error(results.at("conductance").values, results.at("targets").values) <=
        0.02);
  CHECK_THAT(bytes(scratch, "run/targets.svg"), Contains("<svg"));
  CHECK_THAT(bytes(scratch, "run/error.svg"), Contains("<svg"));
  const auto page = run_xbar(scratch, "report run");
  CAPTURE(page.err);
  CHECK(page.code == 0);
  CHECK_THAT(bytes(scratch, "run/index.html"),
             Contains("Every cell is within 2\u00A0% of its target"));
  // A line a pulse and cell, and one of names.
  const std::string log = bytes(scratch, "run/log.csv");
  CHECK(std::count(log.begin(), log.end(), '\n') ==
        1 + static_cast<long>(results.at("pulses").values.sum()));

  const auto again = run_xbar(scratch, "program --targets G.npy --out run " + cell + pulses);
  CHECK(again.code == 2);
  CHECK_THAT(again.err, Contains("holds a run already"));
}

TEST_CASE("cli/program_command: interrupted or killed, a run goes on to the same bytes", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), random_matrix(6, 6, 1.2e-5, 8e-5, 8));
  const std::string flags = "program --targets G.npy --read wires " + cell + pulses + wires;
  const auto whole = run_xbar(scratch, flags + "--out whole");
  CAPTURE(whole.err);
  // 1: a cell's reading through the wires moves with the neighbours that are programmed later.
  REQUIRE(whole.code <= 1);
  const std::string whole_log = bytes(scratch, "whole/log.csv");

  // Interrupted after a quarter of the log.
  CHECK(run_until(scratch, words(flags + "--out parts"), "parts/log.csv", whole_log.size() / 4,
                  SIGINT) == 130);
  CHECK(nlohmann::json::parse(bytes(scratch, "parts/run.json")).at("finished") == false);
  CHECK(run_xbar(scratch, "report parts").code == 0);
  // Killed after half of it; as if in the middle of a line, too.
  CHECK(run_until(scratch, words(flags + "--resume parts"), "parts/log.csv", whole_log.size() / 2,
                  SIGKILL) == 128 + SIGKILL);
  xbar::write_file_atomically(scratch("parts/log.csv"), bytes(scratch, "parts/log.csv") + "1,0,3,");
  const auto last = run_xbar(scratch, flags + "--resume parts");
  CAPTURE(last.err);
  CHECK(last.code == whole.code);
  for (const char* file : {"log.csv", "state.npz", "results.npz", "error.svg"}) {
    CAPTURE(file);
    CHECK(bytes(scratch, std::string("parts/") + file) ==
          bytes(scratch, std::string("whole/") + file));
  }

  SECTION("with other flags or targets it does not go on") {
    const auto other = run_xbar(scratch, flags + "--resume parts --bias v/3");
    CHECK(other.code == 2);
    CHECK_THAT(other.err, Contains("has bias = v/2, expected the same, got v/3"));
    xbar::write_array(scratch("G.npy"), random_matrix(6, 6, 1.2e-5, 8e-5, 9));
    const auto targets = run_xbar(scratch, flags + "--resume parts");
    CHECK(targets.code == 2);
    CHECK_THAT(targets.err, Contains("--targets: expected those of the run"));
    const auto nothing = run_xbar(scratch, flags + "--resume nowhere");
    CHECK(nothing.code == 2);
    CHECK_THAT(nothing.err, Contains("expected the folder of a run"));
  }
}

TEST_CASE("cli/program_command: cells that miss their targets are said, and the exit code is 1",
          "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.csv"), xbar::Matrix::Constant(2, 2, 8e-5));
  const auto run = run_xbar(
      scratch, "program --targets G.csv --max-pulses 2 --out run " + cell + pulses + wires);
  CAPTURE(run.err);
  CHECK(run.code == 1);
  CHECK_THAT(run.out, Contains("0 of 4 cells within tolerance"));
  CHECK_THAT(run.out, Contains("4 out of pulses"));
}

TEST_CASE("cli/program_command: bad input is refused with its reason before anything is written",
          "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.csv"), xbar::Matrix::Constant(2, 2, 5e-5));
  xbar::write_array(scratch("far.csv"), xbar::Matrix::Constant(2, 2, 5e-3));
  const auto refused = [&](const std::string& arguments) {
    const auto run = run_xbar(scratch, "program --out run " + arguments);
    CAPTURE(arguments, run.out);
    CHECK(run.code == 2);
    CHECK(!std::filesystem::exists(scratch("run")));
    return run.err;
  };
  const std::string good = "--targets G.csv " + cell;
  CHECK_THAT(refused(cell), Contains("--targets is required"));
  CHECK_THAT(refused("--targets G.csv"), Contains("--model is required"));
  CHECK_THAT(refused("--targets missing.csv " + cell), Contains("missing.csv"));
  CHECK_THAT(refused("--targets far.csv " + cell),
             Contains("targets: cell (0,0): conductance: expected 1e-05 to 0.0001 S"));
  CHECK_THAT(refused("--targets G.csv --model vtean"), Contains("did you mean vteam?"));
  CHECK_THAT(refused(good + "--parameter v_on_volts=-1"), Contains("v_on_volt"));
  CHECK_THAT(refused(good + "--parameter v_on_volt"),
             Contains("--parameter: expected NAME=VALUE with a number, got 'v_on_volt'"));
  CHECK_THAT(refused(good + "--bias V/4"), Contains("expected one of v/2, v/3"));
  CHECK_THAT(refused(good + "--by rows"), Contains("did you mean row?"));
  CHECK_THAT(refused(good + "--tolerance 0"), Contains("tolerance: expected"));
  CHECK_THAT(refused(good + "--pulse-second -1"), Contains("pulse_second: expected"));
  CHECK_THAT(refused(good + "--start-volt 2 --max-volt 1"), Contains("max_volt: expected"));
  CHECK_THAT(refused(good + "--max-pulses 0"), Contains("max_pulses: expected at least 1"));
  CHECK_THAT(refused(good + "--initial 2"), Contains("--initial: expected 0 to 1"));
  CHECK_THAT(refused(good + "--initial far.csv"), Contains("--initial far.csv: cell (0,0)"));
  CHECK_THAT(refused(good + "--selected-wordlines 0"),
             Contains("expected no --selected-wordlines: --bias and --by"));
  CHECK_THAT(refused(good + pulses + "--step-tolerance 0"), Contains("step_tolerance: expected"));
  CHECK_THAT(refused(good + "--open-cell 5,5"), Contains("--open-cell"));
  CHECK_THAT(refused(good + "--shorted-cell 0,0"), Contains("short"));
}

TEST_CASE("cli/program_command: a damaged state is refused by name", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.csv"), xbar::Matrix::Constant(2, 2, 5e-5));
  const std::string flags = "program --targets G.csv --by row " + cell + pulses;
  REQUIRE(run_xbar(scratch, flags + "--out run").code == 0);
  std::map<std::string, xbar::Matrix> good;
  for (const auto& [name, file] : xbar::read_npz(scratch("run/state.npz"))) {
    good[name] = file.values;
  }
  const auto refused = [&](const std::map<std::string, xbar::Matrix>& arrays) {
    xbar::write_npz(scratch("run/state.npz"), arrays);
    const auto run = run_xbar(scratch, flags + "--resume run");
    CHECK(run.code == 2);
    return run.err;
  };
  const auto changed = [&](const std::string& name, xbar::Index at, double value) {
    auto arrays = good;
    arrays[name].data()[at] = value;
    return refused(arrays);
  };
  // progress: bytes of the log, pass, unit, pulses, ...; a pass has two rows.
  CHECK_THAT(changed("progress", 2, 2), Contains("state.npz: progress: expected a place below 2"));
  CHECK_THAT(changed("progress", 0, -1), Contains("progress: expected whole numbers from 0"));
  CHECK_THAT(changed("progress", 1, 0.5), Contains("whole numbers") && Contains("found 0.5"));
  CHECK_THAT(changed("progress", 3, std::nan("")), Contains("whole numbers"));
  CHECK_THAT(changed("progress", 4, std::nan("")), Contains("expected finite numbers"));
  CHECK_THAT(changed("pulses", 1, -3), Contains("pulses: expected whole numbers"));
  CHECK_THAT(changed("outcome", 1, 5), Contains("outcome: expected whole numbers from 0 to 4"));
  CHECK_THAT(changed("second", 1, -1), Contains("second: expected finite values >= 0"));
  auto arrays = good;
  arrays["progress"] = xbar::Matrix::Zero(1, 3);
  CHECK_THAT(refused(arrays), Contains("progress: expected more than 3 numbers"));
  arrays.erase("progress");
  CHECK_THAT(refused(arrays), Contains("expected an array progress, found none"));
  arrays = good;
  arrays["pulses"] = xbar::Matrix::Zero(2, 3);
  CHECK_THAT(refused(arrays), Contains("pulses: expected 2 x 2, got 2 x 3"));
  xbar::write_npz(scratch("run/state.npz"), good);
  CHECK(run_xbar(scratch, flags + "--resume run").code == 0);
}
