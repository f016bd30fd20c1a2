#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "program.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
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
  expect("--direction sideways", "forward or backward");
  expect("--terminals both", "keep or swap");
  expect("--model operating-point --operating-voltage V.npy", "expected 3 voltages");
  expect("--operating-voltage V.npy", "--model operating-point");
}
