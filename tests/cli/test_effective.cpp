#include <limits>

#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar::solver::Circuit;
using xbar_test::Contains;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

const std::string ohms = " --source-ohm 500 --sink-ohm 100 --wordline-ohm 2.5 --bitline-ohm 3.5";
const xbar::WireResistance wires{500, 100, 2.5, 3.5};

}  // namespace

TEST_CASE("cli/effective: exact, forward and backward, keep and swap", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(6, 4, 1e-5, 1e-4, 1);
  xbar::write_array(scratch("G.npy"), conductance);
  const auto run = [&](const std::string& more) {
    const auto outcome =
        run_xbar(scratch, "effective --conductance G.npy --out E.npy" + ohms + more);
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    return xbar::read_array(scratch("E.npy")).values;
  };
  const Matrix exact = xbar::solver::effective_conductance(conductance, wires);
  const Matrix forward = run("");
  REQUIRE(relative_error(forward, exact) <= 1e-12);
  const Matrix keep = run(" --direction backward");
  REQUIRE(keep.rows() == 4);
  REQUIRE(relative_error(keep.transpose(), exact) <= 1e-11);
  const Matrix swap = run(" --direction backward --terminals swap");
  REQUIRE(relative_error(swap.transpose(), exact) >= 1e-4);
}

TEST_CASE("cli/effective: the operating point is exact at its own inputs, both ways", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(6, 4, 1e-5, 1e-4, 2);
  xbar::write_array(scratch("G.npy"), conductance);
  const Matrix voltage = random_matrix(6, 1, 0.2, 1, 3);
  const Matrix bitline_voltage = random_matrix(4, 1, 0.2, 1, 4);
  xbar::write_array(scratch("V.npy"), voltage, true);
  xbar::write_array(scratch("W.npy"), bitline_voltage, true);
  const std::string model =
      "effective --conductance G.npy --out E.npy --model operating-point" + ohms;
  REQUIRE(run_xbar(scratch, model + " --operating-voltage V.npy").code == 0);
  const Matrix forward = xbar::read_array(scratch("E.npy")).values;
  const Matrix expected = xbar::solver::solve(conductance, voltage, wires).current;
  REQUIRE(relative_error(forward.transpose() * voltage, expected) <= 1e-10);

  REQUIRE(run_xbar(scratch, model + " --operating-voltage W.npy --direction backward").code == 0);
  const Matrix backward = xbar::read_array(scratch("E.npy")).values;
  const Matrix exact =
      xbar::solver::effective_conductance(conductance, wires, xbar::Direction::backward);
  REQUIRE(relative_error(backward.transpose() * bitline_voltage,
                         exact.transpose() * bitline_voltage) <= 1e-10);
}

TEST_CASE("cli/effective: any circuit, forward and backward", "[cli]") {
  const Scratch scratch;
  const Matrix conductance = random_matrix(6, 4, 1e-5, 1e-4, 5);
  xbar::write_array(scratch("G.npy"), conductance);
  const auto run = [&](const std::string& more) {
    const auto outcome =
        run_xbar(scratch, "effective --conductance G.npy --out E.npy" + ohms + more);
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
    return xbar::read_array(scratch("E.npy")).values;
  };
  constexpr double open = std::numeric_limits<double>::infinity();
  const std::string flags =
      " --drive both --sense top --open-cell 1,2 --shorted-cell 3,0 --broken-wordline 0,1 "
      "--selected-wordlines 0-4 --unselected-wordlines floating";
  const auto faulty = [&](const xbar::WireResistance& around) {
    Circuit circuit = make_circuit(conductance, around, xbar::solver::DriveEnds::both,
                                   xbar::solver::SenseEnds::top);
    circuit.conductance(1, 2) = 0;
    circuit.conductance(3, 0) = open;
    circuit.wordline_ohm = Matrix::Constant(6, 3, around.wordline_ohm);
    circuit.wordline_ohm(0, 1) = open;
    circuit.left_ohm(5) = circuit.right_ohm(5) = open;
    return circuit;
  };
  const Matrix exact = xbar::solver::effective_conductance(faulty(wires));
  REQUIRE(exact.row(5).isZero(0));
  REQUIRE(relative_error(run(flags), exact) <= 1e-12);
  REQUIRE(relative_error(run(flags + " --direction backward"), exact.transpose()) <= 1e-12);
  // Bitlines driven through source_ohm, wordlines sensed through sink_ohm.
  const Matrix swapped =
      xbar::solver::effective_conductance(faulty({100, 500, 2.5, 3.5})).transpose();
  REQUIRE(relative_error(run(flags + " --direction backward --terminals swap"), swapped) <= 1e-12);
  REQUIRE(relative_error(swapped, exact.transpose()) >= 1e-4);
  // To a surrogate an open cell is a conductance of 0.
  Matrix opened = conductance;
  opened(1, 2) = 0;
  REQUIRE(run(" --model ideal --open-cell 1,2") == opened);
}

TEST_CASE("cli/effective: surrogates take plain numbers only", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-4));
  xbar::write_array(scratch("three.npy"), Matrix::Ones(3, 1), true);
  const auto expect = [&](const std::string& flags, const std::string& part) {
    for (const std::string model : {"--model ladder", "--model operating-point", "--model ideal"}) {
      std::string arguments = "effective --conductance G.npy --out E.npy ";
      arguments.append(model).append(" ").append(flags);
      const auto outcome = run_xbar(scratch, arguments);
      CAPTURE(model, flags, outcome.err);
      REQUIRE(outcome.code == 2);
      REQUIRE_THAT(outcome.err, Contains(model) && Contains(": expected " + part));
      REQUIRE_FALSE(std::filesystem::exists(scratch("E.npy")));
    }
  };
  expect("--wordline-ohm three.npy", "one number for --wordline-ohm, got three.npy");
  expect("--source-ohm three.npy", "one number for --source-ohm, got three.npy");
  expect("--drive both", "no --drive");
  expect("--sense top", "no --sense");
  expect("--shorted-cell 0,0", "no --shorted-cell");
  expect("--broken-bitline 0,0", "no --broken-bitline");
  expect("--selected-wordlines 0 --unselected-wordlines floating", "no --selected-wordlines");
  // What is the default anyway is not in the way.
  REQUIRE(run_xbar(scratch,
                   "effective --conductance G.npy --out E.npy --model ladder --drive left "
                   "--sense bottom --wordline-ohm 2")
              .code == 0);
}

TEST_CASE("cli/effective: wrong names and shapes", "[cli]") {
  const Scratch scratch;
  xbar::write_array(scratch("G.npy"), Matrix::Constant(3, 2, 1e-4));
  xbar::write_array(scratch("V.npy"), Matrix::Ones(2, 1), true);
  const auto expect = [&](const std::string& arguments, const std::string& part) {
    const auto outcome =
        run_xbar(scratch, "effective --conductance G.npy --out E.npy " + arguments);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Contains(part));
    REQUIRE_FALSE(std::filesystem::exists(scratch("E.npy")));
  };
  expect("--model exakt", "did you mean exact");
  expect("--direction sideways", "forward, backward, got");
  expect("--terminals both", "keep, swap, got");
  expect("--model operating-point --operating-voltage V.npy", "expected 3 voltages");
  expect("--operating-voltage V.npy", "--model operating-point");
  expect("--selected-wordlines 0 --unselected-wordlines V/2", "expected grounded or floating");
  xbar::write_array(scratch("source.npy"), Matrix::Ones(3, 1), true);
  expect("--direction backward --terminals swap --source-ohm source.npy",
         "--terminals swap: expected one number for --source-ohm, got source.npy");
}
