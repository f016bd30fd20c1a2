#include <algorithm>
#include <cmath>
#include <limits>

#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::DriveEnds;
using xbar::solver::make_circuit;
using xbar::solver::SenseEnds;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();

// Two exact solutions of the same circuit, from the same solver.
constexpr double same = 1e-12;

// Currents that `xbar solve` finds for G.npy and V.npy with more flags.
Matrix currents(const Scratch& scratch, const std::string& flags) {
  const auto outcome =
      run_xbar(scratch, "solve --conductance G.npy --voltage V.npy --current-out I.npy " + flags);
  CAPTURE(flags, outcome.err);
  REQUIRE(outcome.code == 0);
  return xbar::read_array(scratch("I.npy")).values;
}

}  // namespace

TEST_CASE("cli/circuit_flags: ends of the lines", "[cli]") {
  // One cell of 1 kohm with 500 ohm at each terminal in use: one or two of them in parallel.
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(1, 1, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(1, 1), true);
  const auto ohm = [&](const std::string& flags) {
    return 1 / currents(scratch, "--source-ohm 500 --sink-ohm 300 " + flags)(0, 0);
  };
  REQUIRE_THAT(ohm(""), xbar_test::WithinRel(1800.0, same));
  REQUIRE_THAT(ohm("--drive right --sense top"), xbar_test::WithinRel(1800.0, same));
  REQUIRE_THAT(ohm("--drive both"), xbar_test::WithinRel(1550.0, same));
  REQUIRE_THAT(ohm("--drive both --sense both"), xbar_test::WithinRel(1400.0, same));

  // Which end is which.
  const Matrix conductance = random_matrix(4, 3, 1e-5, 1e-3, 1);
  const Matrix voltage = random_matrix(4, 2, -1, 1, 2);
  const xbar::WireResistance wires{50, 30, 7, 9};
  xbar::write_array(scratch("G.npy"), conductance);
  xbar::write_array(scratch("V.npy"), voltage);
  const std::string ohms = "--source-ohm 50 --sink-ohm 30 --wordline-ohm 7 --bitline-ohm 9 ";
  for (const auto& [flags, circuit] :
       {std::pair{"--drive left --sense bottom", make_circuit(conductance, wires)},
        {"--drive right", make_circuit(conductance, wires, DriveEnds::right)},
        {"--sense top", make_circuit(conductance, wires, DriveEnds::left, SenseEnds::top)},
        {"--drive both --sense both",
         make_circuit(conductance, wires, DriveEnds::both, SenseEnds::both)}}) {
    const Matrix expected = xbar::solver::solve(circuit, {voltage, {}}).current;
    REQUIRE(relative_error(currents(scratch, ohms + flags), expected) <= same);
  }
}

TEST_CASE("cli/circuit_flags: resistances from files, infinite ones included", "[cli]") {
  const Scratch scratch;
  const Matrix voltage = random_matrix(4, 1, -1, 1, 2);
  Circuit circuit = make_circuit(random_matrix(4, 3, 1e-5, 1e-3, 1), {}, DriveEnds::both);
  circuit.left_ohm = random_matrix(4, 1, 0, 50, 3).col(0);
  circuit.left_ohm(2) = open;
  circuit.right_ohm = circuit.left_ohm;
  circuit.bottom_ohm = random_matrix(3, 1, 0, 50, 4).col(0);
  circuit.wordline_ohm = random_matrix(4, 1, 0, 9, 5);
  circuit.bitline_ohm = random_matrix(1, 3, 0, 9, 6);
  xbar::write_array(scratch("G.npy"), circuit.conductance);
  xbar::write_array(scratch("V.npy"), voltage, true);
  xbar::write_array(scratch("source.npy"), circuit.left_ohm, true);
  xbar::write_array(scratch("sink.csv"), Matrix(circuit.bottom_ohm.transpose()));
  xbar::write_array(scratch("wordlines.npy"), circuit.wordline_ohm, true);
  xbar::write_array(scratch("bitlines.npy"), Matrix(circuit.bitline_ohm.transpose()), true);
  const std::string terminals = "--drive both --source-ohm source.npy --sink-ohm sink.csv ";
  REQUIRE(relative_error(currents(scratch, terminals + "--wordline-ohm wordlines.npy "
                                                       "--bitline-ohm bitlines.npy"),
                         xbar::solver::solve(circuit, {voltage, {}}).current) <= same);

  circuit.wordline_ohm = random_matrix(4, 2, 0, 9, 7);
  circuit.wordline_ohm(1, 0) = open;
  circuit.bitline_ohm = random_matrix(3, 3, 0, 9, 8);
  xbar::write_array(scratch("wordlines.csv"), circuit.wordline_ohm);
  xbar::write_array(scratch("bitlines.npy"), circuit.bitline_ohm);
  REQUIRE(relative_error(currents(scratch, terminals + "--wordline-ohm wordlines.csv "
                                                       "--bitline-ohm bitlines.npy"),
                         xbar::solver::solve(circuit, {voltage, {}}).current) <= same);
}

TEST_CASE("cli/circuit_flags: schemes for unselected lines, by hand", "[cli]") {
  // Without wire resistance I(j) = sum over i of G(i,j) (V(i) - B(j)).
  const Scratch scratch;
  const Matrix g{{1e-3, 2e-3}, {3e-3, 4e-3}};
  xbar::write_array(scratch("G.npy"), g);
  // Wordline 0 is selected; what the file says of wordline 1 does not count.
  xbar::write_array(scratch("V.npy"), Matrix{{1, -0.6}, {9, 9}});
  const std::string selected = "--selected-wordlines 0 --selected-bitlines 0 ";
  const auto check = [&](const std::string& flags, double wordline, double bitline) {
    const Matrix found = currents(scratch, selected + flags);
    const Matrix unit{{g(0, 0) + g(1, 0) * wordline},
                      {g(0, 1) * (1 - bitline) + g(1, 1) * (wordline - bitline)}};
    CAPTURE(flags);
    REQUIRE(relative_error(found.col(0), unit) <= same);
    REQUIRE(relative_error(found.col(1), -0.6 * unit) <= same);
  };
  check("", 0, 0);
  check("--unselected-wordlines grounded --unselected-bitlines grounded", 0, 0);
  check("--unselected-wordlines V/2 --unselected-bitlines V/2", 0.5, 0.5);
  check("--unselected-wordlines V/3 --unselected-bitlines 2V/3", 1.0 / 3, 2.0 / 3);
  check("--unselected-wordlines 2V/3 --unselected-bitlines V/3", 2.0 / 3, 1.0 / 3);

  const Matrix biased =
      currents(scratch, selected + "--unselected-wordlines 0.25 --unselected-bitlines -0.5");
  REQUIRE(relative_error(biased.col(0), Matrix{{1e-3 + 3e-3 * 0.25}, {2e-3 * 1.5 + 4e-3 * 0.75}}) <=
          same);

  const auto check_floating = [&](const std::string& flags, double first, double second) {
    CAPTURE(flags);
    REQUIRE(relative_error(currents(scratch, selected + flags).col(0), Matrix{{first}, {second}}) <=
            same);
  };
  // A floating wordline between bitlines at 0 V is at 0 V itself; a floating bitline has no
  // current.
  check_floating("--unselected-wordlines floating", 1e-3, 2e-3);
  check_floating("--unselected-bitlines floating", 1e-3, 0);
  // Both: V(0), cell (0,1), bitline 1, cell (1,1), wordline 1, cell (1,0), bitline 0.
  const double detour = 1 / (1 / 2e-3 + 1 / 4e-3 + 1 / 3e-3);
  check_floating("--unselected-wordlines floating --unselected-bitlines floating", 1e-3 + detour,
                 0);
}

TEST_CASE("cli/circuit_flags: V is the largest of the selected voltages", "[cli]") {
  // Wordlines 0, 2 and 3 are selected; wordline 1 gets half of -0.8 V.
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(4, 1, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix{{0.5}, {7}, {-0.8}, {0.1}}, true);
  const Matrix found = currents(scratch, "--selected-wordlines 0,2-3 --unselected-wordlines V/2");
  REQUIRE_THAT(found(0, 0), xbar_test::WithinRel(1e-3 * (0.5 - 0.4 - 0.8 + 0.1), same));
}

TEST_CASE("cli/circuit_flags: faults, by hand", "[cli]") {
  const Scratch scratch;
  const Matrix g{{1e-3, 2e-3}, {3e-3, 4e-3}};
  xbar::write_array(scratch("G.npy"), g);
  xbar::write_array(scratch("V.npy"), Matrix{{1}, {0.5}}, true);
  const auto check = [&](const std::string& flags, double first, double second) {
    CAPTURE(flags);
    REQUIRE(relative_error(currents(scratch, flags), Matrix{{first}, {second}}) <= same);
  };
  check("--open-cell 0,1", 1e-3 + 1.5e-3, 2e-3);
  check("--open-cell 0,1 --open-cell 1,0", 1e-3, 2e-3);
  check("--broken-wordline 0,0", 1e-3 + 1.5e-3, 2e-3);
  check("--broken-bitline 0,0", 1.5e-3, 2e-3 + 2e-3);
  check("--broken-bitline 0,0 --broken-bitline 0,1", 1.5e-3, 2e-3);
  check("--broken-bitline 0,1 --sense top", 1e-3 + 1.5e-3, 2e-3);
  // Wordline 0, behind 1 kohm, is then at the 0 V of bitline 0.
  xbar::write_array(scratch("source.npy"), Matrix{{1e3}, {0}}, true);
  check("--shorted-cell 0,0 --source-ohm source.npy", 1e-3 + 1.5e-3, 2e-3);
}

TEST_CASE("cli/circuit_flags: lists in a configuration file", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), random_matrix(4, 3, 1e-5, 1e-3, 1));
  xbar::write_array(scratch("V.npy"), random_matrix(4, 1, -1, 1, 2), true);
  xbar::write_array(scratch("source.npy"), random_matrix(4, 1, 0, 50, 3), true);
  const Matrix expected = currents(
      scratch,
      "--source-ohm source.npy --sink-ohm 20 --wordline-ohm 1 --bitline-ohm 2 --drive both "
      "--selected-wordlines 0,2-3 --unselected-wordlines V/2 --open-cell 0,1 --open-cell 2,2 "
      "--broken-wordline 3,1");
  const std::string common =
      "source-ohm = 'source.npy'\nsink-ohm = 20\nwordline-ohm = 1.0\nbitline_ohm = 2\n"
      "drive = 'both'\nunselected-wordlines = 'V/2'\nbroken-wordline = '3,1'\n";
  for (const char* lists : {"selected-wordlines = '0,2-3'\nopen-cell = ['0,1', '2,2']\n",
                            "selected-wordlines = [0, '2-3']\nopen-cell = [[0, 1], [2, 2]]\n"}) {
    xbar::write_file_atomically(scratch("run.toml"), common + lists);
    REQUIRE(relative_error(currents(scratch, "--config run.toml"), expected) <= same);
  }
  xbar::write_file_atomically(scratch("run.toml"), "open-cell = [0, 1]\n");
  const auto outcome =
      run_xbar(scratch, "solve --conductance G.npy --voltage V.npy --config run.toml");
  REQUIRE(outcome.code == 2);
  REQUIRE_THAT(outcome.err,
               Contains("'open-cell'") && Contains("expected two indices I,J, got '0'"));
}

TEST_CASE("cli/circuit_flags: what does not fit the array is named", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(3, 1), true);
  xbar::write_array(scratch("four.npy"), Matrix::Ones(4, 1), true);
  xbar::write_array(scratch("two.csv"), Matrix::Ones(2, 2));
  xbar::write_array(scratch("negative.npy"), Matrix{{1}, {-2}, {3}}, true);
  xbar::write_array(scratch("nan.npy"), Matrix{{1}, {2}, {std::nan("")}}, true);
  xbar::write_array(scratch("open.npy"), Matrix{{1}, {open}, {3}}, true);
  const auto expect = [&](const std::string& flags, const std::string& part) {
    for (const std::string command : {"solve --conductance G.npy --voltage V.npy ",
                                      "effective --conductance G.npy --out E.npy ",
                                      "spice --conductance G.npy --voltage V.npy --out E.npy "}) {
      const auto outcome = run_xbar(scratch, command + flags);
      CAPTURE(command, flags, outcome.err);
      REQUIRE(outcome.code == 2);
      REQUIRE_THAT(outcome.err, Contains(part));
      REQUIRE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
      REQUIRE(outcome.out.empty());
      REQUIRE_FALSE(std::filesystem::exists(scratch("E.npy")));
    }
  };
  expect("--source-ohm four.npy", "--source-ohm four.npy: expected 3 values, one a wordline");
  expect("--sink-ohm four.npy", "--sink-ohm four.npy: expected 2 values, one a bitline");
  expect("--wordline-ohm two.csv", "--wordline-ohm two.csv: expected 3 values");
  expect("--bitline-ohm four.npy", "--bitline-ohm four.npy: expected 2 values");
  expect("--source-ohm negative.npy", "--source-ohm negative.npy: expected resistances >= 0 ohm");
  expect("--wordline-ohm nan.npy", "got nan at (2, 0)");
  expect("--bitline-ohm none.npy", "none.npy");
  expect("--wordline-ohm -1", "--wordline-ohm: expected a finite resistance >= 0 ohm, got -1");
  expect("--source-ohm nan", "--source-ohm: expected a finite resistance");
  expect("--sink-ohm inf", "--sink-ohm: expected a finite resistance");
  expect("--sink-ohm 5ohm", "--sink-ohm: expected a number or a file, .npy or .csv, got '5ohm'");
  expect("--drive up", "--drive: expected one of left, right, both");
  expect("--sense left", "--sense: expected one of bottom, top, both");
  expect("--selected-wordlines 0,3", "--selected-wordlines: expected indices below 3, got 3");
  expect("--selected-bitlines 0-2", "--selected-bitlines: expected indices below 2, got 0-2");
  for (const std::string list : {"x", "1-0", "-1", "1.5", "''"}) {
    expect("--selected-wordlines " + list, "--selected-wordlines: expected indices like 0,3,8-15");
  }
  expect("--selected-wordlines 0 --unselected-wordlines open", "--unselected-wordlines: expected");
  expect("--unselected-wordlines floating", "expected together with --selected-wordlines");
  expect("--unselected-bitlines floating", "expected together with --selected-bitlines");
  expect("--open-cell 3,0", "--open-cell: expected I,J with I < 3 and J < 2, got 3,0");
  expect("--shorted-cell 0,2", "--shorted-cell: expected I,J with I < 3 and J < 2, got 0,2");
  expect("--broken-wordline 0,1", "--broken-wordline: expected I,J with I < 3 and J < 1, got 0,1");
  expect("--broken-bitline 2,0", "--broken-bitline: expected I,J with I < 2 and J < 2, got 2,0");
  for (const std::string place : {"1", "1,", "1,2,3", "-1,0", "a,b"}) {
    expect("--open-cell " + place, "--open-cell: expected two indices I,J, got '" + place + "'");
  }
  expect("--open-cell 1,1 --shorted-cell 1,1", "--open-cell: expected a cell that is not");
  // Nothing is left that says what wordline 1 is at.
  expect("--source-ohm open.npy --open-cell 1,0 --open-cell 1,1", "wordline node (1,0)");
}

TEST_CASE("cli/circuit_flags: unusable files are refused by every command", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-3));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(3, 1), true);
  xbar::write_array(scratch("short.npy"), Matrix::Ones(2, 1), true);
  xbar::write_array(scratch("nan.npy"), Matrix{{1}, {std::nan("")}, {1}}, true);
  xbar::write_array(scratch("infinite.npy"), Matrix{{1, 1}, {1, open}});
  xbar::write_array(scratch("negative.npy"), Matrix{{1, 1}, {-1, 1}});
  const std::string whole = xbar::read_file(scratch("G.npy"));
  xbar::write_file_atomically(scratch("truncated.npy"), whole.substr(0, whole.size() - 8));
  xbar::write_file_atomically(scratch("empty.npy"), "");
  xbar::write_file_atomically(scratch("text.csv"), "one,two\n");
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const auto outcome = run_xbar(scratch, arguments + " --out out");
    CAPTURE(arguments, outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    REQUIRE(outcome.out.empty());
    REQUIRE_FALSE(std::filesystem::exists(scratch("out")));
  };
  for (const std::string command : {"spice --voltage V.npy", "effective"}) {
    expect(command + " --conductance none.npy", "none.npy");
    expect(command + " --conductance truncated.npy", "truncated.npy");
    expect(command + " --conductance empty.npy", "empty.npy");
    expect(command + " --conductance text.csv", "text.csv: line 1");
    expect(command + " --conductance nan.npy", "nan at wordline 1, bitline 0");
    expect(command + " --conductance infinite.npy", "a shorted cell is --shorted-cell 1,1");
    expect(command + " --conductance negative.npy", "-1 at wordline 1, bitline 0");
    expect(command + " --conductance G.npy --wordline-ohm truncated.npy", "truncated.npy");
  }
  expect("spice --conductance G.npy --voltage short.npy", "expected 3 rows");
  expect("spice --conductance G.npy --voltage nan.npy", "got nan at wordline 1");
  expect("effective --conductance G.npy --model operating-point --operating-voltage nan.npy",
         "got nan at wordline 1");
}
