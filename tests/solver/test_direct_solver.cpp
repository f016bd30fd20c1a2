#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"
#include "support/message.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::InvalidArgument;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::make_circuit;
using xbar::solver::SolveMethod;
using xbar_test::Contains;
using xbar_test::message_of;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

constexpr double shorted = std::numeric_limits<double>::infinity();

auto direct() { return xbar::solver::make_array_solver(SolveMethod::direct); }

}  // namespace

TEST_CASE("solver/direct_solver: no resistance between two terminals is refused", "[solver]") {
  const auto refusal = [](const Circuit& circuit) {
    return message_of<InvalidArgument>([&] { direct()->factor(circuit); });
  };
  // Through a shorted cell.
  Circuit circuit = make_circuit(Matrix::Constant(3, 2, 1e-4), {});
  circuit.conductance(2, 1) = shorted;
  REQUIRE_THAT(
      refusal(circuit),
      Contains("circuit: no resistance between the terminals of wordline 2 and bitline 1"));
  // Through a bitline without terminals.
  circuit.bottom_ohm(1) = shorted;
  REQUIRE_NOTHROW(direct()->factor(circuit));
  circuit.conductance(0, 1) = shorted;
  REQUIRE_THAT(
      refusal(circuit),
      Contains("circuit: no resistance between the terminals of wordline 0 and wordline 2"));
  // Both ends of one line are at one voltage.
  circuit = make_circuit(Matrix::Constant(3, 2, 1e-4), {}, xbar::solver::DriveEnds::both,
                         xbar::solver::SenseEnds::both);
  REQUIRE_NOTHROW(direct()->factor(circuit));
}

TEST_CASE("solver/direct_solver: a refused circuit leaves no half-made one behind", "[solver]") {
  const auto solver = direct();
  const xbar::solver::TerminalVoltage voltage{Matrix::Ones(3, 1), {}};
  Circuit circuit = make_circuit(Matrix::Constant(3, 2, 1e-4), {0, 0, 1, 1});
  solver->factor(circuit);
  const Matrix current = solver->solve(voltage, {}).current;
  Circuit bad = circuit;
  bad.left_ohm(0) = -1;
  REQUIRE_THROWS_AS(solver->factor(bad), InvalidArgument);
  REQUIRE(solver->solve(voltage, {}).current == current);  // not taken: the last one stays
  bad = circuit;
  bad.wordline_ohm(0, 0) = bad.bitline_ohm(0, 0) = 0;
  bad.conductance(1, 1) = shorted;
  REQUIRE_THROWS_AS(solver->factor(bad), InvalidArgument);
  REQUIRE_THROWS_AS(solver->solve(voltage, {}), InvalidArgument);
  solver->factor(circuit);
  REQUIRE(solver->solve(voltage, {}).current == current);
}

TEST_CASE("solver/direct_solver: analyses are reused where they fit and not elsewhere",
          "[solver]") {
  // One object for circuits that differ in numbers, in what is open or broken, in where a
  // resistance is zero, in shape, in turn.
  const auto solver = direct();
  int solved = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    auto drawn = xbar_test::random_circuit(seed, 3);
    if (drawn.floats || drawn.joined || drawn.undetermined) continue;
    ++solved;
    for (int turn = 0; turn < 2; ++turn) {
      CAPTURE(seed, turn);
      const auto reference =
          xbar_test::dense_solution(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage);
      solver->factor(drawn.circuit);
      const auto result = solver->solve({drawn.wordline_voltage, drawn.bitline_voltage}, {});
      REQUIRE((result.current.col(0) - reference.current).cwiseAbs().maxCoeff() <=
              reference.current_tolerance());
      drawn.circuit.conductance *= 3;
      drawn.circuit.left_ohm *= 2;
    }
  }
  REQUIRE(solved >= 200);
}

TEST_CASE("solver/direct_solver: many input vectors are solved as one", "[solver]") {
  // Blocks of 4: one below, one above, several. The inputs of a block do not all need the same
  // number of refinements: those that are 0 need none, the others several.
  const Circuit circuit =
      make_circuit(random_matrix(12, 10, 1e-6, 1e-3, 1), {1e6, 1e-6, 1e3, 1e-6});
  const auto solver = direct();
  solver->factor(circuit);
  for (const Index inputs : {1, 3, 4, 5, 13}) {
    Matrix wordline = random_matrix(12, inputs, -1, 1, 2);
    Matrix bitline = random_matrix(10, inputs, -1, 1, 3);
    for (Index k = 1; k < inputs; k += 3) {
      wordline.col(k).setZero();
      bitline.col(k).setZero();
    }
    xbar::solver::SolveOptions options;
    options.node_voltages = true;
    const auto all = solver->solve({wordline, bitline}, options);
    REQUIRE(all.report.iterations >= 2);
    REQUIRE(all.nodes.size() == static_cast<std::size_t>(inputs));
    for (Index k = 0; k < inputs; ++k) {
      CAPTURE(inputs, k);
      const auto one = solver->solve({wordline.col(k), bitline.col(k)}, options);
      // The refinement ends within a few units in the last place.
      REQUIRE(relative_error(all.current.col(k), one.current) <= 1e-14);
      REQUIRE(relative_error(all.nodes[static_cast<std::size_t>(k)].wordline,
                             one.nodes.front().wordline) <= 1e-14);
    }
  }
}

TEST_CASE("solver/direct_solver: the report", "[solver]") {
  const auto solver = direct();
  const Matrix conductance = random_matrix(16, 16, 1e-6, 1e-4, 1);
  solver->factor(make_circuit(conductance, {500, 100, 2, 3}));
  const auto usual = solver->solve({Matrix::Ones(16, 3), {}}, {});
  REQUIRE(usual.report.method == SolveMethod::direct);
  REQUIRE(usual.report.iterations >= 1);
  REQUIRE(usual.report.iterations <= 5);
  REQUIRE(usual.report.kcl_residual <= 1e-9);
  REQUIRE_THAT(usual.report.kcl_worst, Contains("line node (") && Contains("input "));
  // 16 nodes 2 ohm apart and 500 ohm from their driver: wordlines alone have a ratio of about
  // (500 + 16 * 2) / 2 * 4, and the estimate looks at the pivots only.
  REQUIRE(usual.report.condition >= 10);
  REQUIRE(usual.report.condition <= 1e5);
  REQUIRE(usual.report.bytes >= sizeof(double) * 2 * 16 * 16);
  // Weakly held nodes beside strong wires are the worse conditioned.
  solver->factor(make_circuit(conductance, {5e8, 5e8, 1e-3, 1e-3}));
  REQUIRE(solver->solve({Matrix::Ones(16, 1), {}}, {}).report.condition >
          1e3 * usual.report.condition);
  // Nothing to solve for.
  solver->factor(make_circuit(conductance, {}));
  const auto ideal = solver->solve({Matrix::Ones(16, 1), {}}, {});
  REQUIRE(ideal.report.condition == 1);
  REQUIRE(ideal.report.iterations == 0);
  REQUIRE(relative_error(ideal.current, conductance.colwise().sum().transpose()) <= 1e-15);
}
