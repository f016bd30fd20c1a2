/// Faults, terminals and resistances of all kinds, through each method.

#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::DriveEnds;
using xbar::solver::make_circuit;
using xbar::solver::SenseEnds;
using xbar::solver::SolveMethod;
using xbar::solver::SolveOptions;
using xbar::solver::SolveResult;
using xbar::solver::TerminalVoltage;
using xbar_test::relative_error;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr double shorted = open;

constexpr SolveMethod methods[] = {SolveMethod::line, SolveMethod::direct};

// Shorted cells merge lines, which `line` leaves to `direct`.
bool takes(SolveMethod method, const Circuit& circuit) {
  return method == SolveMethod::direct || (circuit.conductance.array() < open).all();
}

SolveResult solve_by(SolveMethod method, const Circuit& circuit, const TerminalVoltage& voltage) {
  const auto solver = xbar::solver::make_array_solver(method);
  solver->factor(circuit);
  SolveOptions options;
  options.method = method;
  options.node_voltages = true;
  return solver->solve(voltage, options);
}

Matrix column(std::initializer_list<double> values) {
  Matrix result(static_cast<Index>(values.size()), 1);
  Index k = 0;
  for (const double value : values) result(k++, 0) = value;
  return result;
}

Matrix row(std::initializer_list<double> values) { return column(values).transpose(); }

// A circuit of ideal wires, to be made worse: all resistances 0, driven left, sensed at the bottom.
Circuit ideal(const Matrix& conductance) { return make_circuit(conductance, {}); }

// The sensed currents that `methods` find for one input vector.
void require_current(const Circuit& circuit, const TerminalVoltage& voltage,
                     const Matrix& expected) {
  for (const SolveMethod method : methods) {
    if (!takes(method, circuit)) continue;
    const SolveResult result = solve_by(method, circuit, voltage);
    CAPTURE(xbar::solver::method_name(method), result.current, expected);
    REQUIRE(relative_error(result.current, expected) <= 1e-13);
  }
}

}  // namespace

TEST_CASE("solver/solve_circuit: drive at the right, one segment", "[solver]") {
  // Cell 1 at 1 V: 2 mA. Cell 0 behind 500 ohm: 1/(500 + 1000) A.
  Circuit circuit = make_circuit(row({1e-3, 2e-3}), {0, 0, 500, 0}, DriveEnds::right);
  require_current(circuit, {column({1}), {}}, column({1.0 / 1500, 2e-3}));
}

TEST_CASE("solver/solve_circuit: drive at both ends", "[solver]") {
  // One cell of 1 kohm behind 100 and 300 ohm in parallel, 75 ohm.
  Circuit circuit = make_circuit(row({1e-3}), {100, 0, 0, 0}, DriveEnds::both);
  circuit.right_ohm(0) = 300;
  require_current(circuit, {column({1}), {}}, column({1.0 / 1075}));
  // Ideal drivers at both ends of three cells: the middle one, 1 kohm, behind 200 || 600 = 150 ohm.
  circuit = make_circuit(row({1e-3, 1e-3, 1e-3}), {}, DriveEnds::both);
  circuit.wordline_ohm = row({200, 600});
  require_current(circuit, {column({2}), {}}, column({2e-3, 2.0 / 1150, 2e-3}));
}

TEST_CASE("solver/solve_circuit: sense at the top and at both ends", "[solver]") {
  // Two cells of 1 kohm at 1 V and 3 V on one bitline with a segment of 500 ohm. At the top, cell 1
  // is behind the segment: 1/1000 + 3/1500.
  const Matrix conductance = column({1e-3, 1e-3});
  Circuit circuit = make_circuit(conductance, {0, 0, 0, 500}, DriveEnds::left, SenseEnds::top);
  require_current(circuit, {column({1, 3}), {}}, column({1.0 / 1000 + 3.0 / 1500}));
  // Ideal at both ends: each cell its own end.
  circuit = make_circuit(conductance, {0, 0, 0, 500}, DriveEnds::left, SenseEnds::both);
  require_current(circuit, {column({1, 3}), {}}, column({4e-3}));
  // One cell with sinks of 100 and 300 ohm: 75 ohm.
  circuit = make_circuit(column({1e-3}), {0, 100, 0, 0}, DriveEnds::left, SenseEnds::both);
  circuit.top_ohm(0) = 300;
  require_current(circuit, {column({1}), {}}, column({1.0 / 1075}));
}

TEST_CASE("solver/solve_circuit: a floating wordline joins its bitlines", "[solver]") {
  // Wordline 1 has no driver: its two cells of 1 kohm and 3 kohm are in series between bitlines at
  // 0 V and 0.4 V (biased), 0.1 mA; wordline 0 gives 1 mA and (1 - 0.4) mA.
  Circuit circuit = ideal((Matrix(2, 2) << 1e-3, 1e-3, 1e-3, 1e-3 / 3).finished());
  circuit.left_ohm(1) = open;
  require_current(circuit, {column({1, 77}), column({0, 0.4})},
                  column({1e-3 + 1e-4, 0.6e-3 - 1e-4}));
}

TEST_CASE("solver/solve_circuit: a floating bitline carries no current and loads the wordlines",
          "[solver]") {
  // Wordlines at 1 V behind 1 kohm and 0 V (grounded), cells 1 kohm. Bitline 0 is sensed, bitline 1
  // joins the wordlines by 2 kohm: u0 is 1 V through 1 kohm against 1 kohm || 2 kohm = 2/3 kohm,
  // 0.4 V.
  Circuit circuit = ideal(Matrix::Constant(2, 2, 1e-3));
  circuit.left_ohm(0) = 1000;
  circuit.bottom_ohm(1) = open;
  require_current(circuit, {column({1, 0}), {}}, column({0.4e-3, 0}));
}

TEST_CASE("solver/solve_circuit: half-selected lines", "[solver]") {
  // V/2 scheme with ideal wires: the selected cell has V, its line's other cells V/2, all others 0.
  const Matrix conductance = xbar_test::random_matrix(3, 3, 1e-5, 1e-3, 3);
  Matrix wordline = Matrix::Constant(3, 1, 0.5);
  Matrix bitline = Matrix::Constant(3, 1, 0.5);
  wordline(1, 0) = 1;
  bitline(2, 0) = 0;
  Matrix expected = 0.5 * conductance.row(1).transpose();
  expected(2, 0) += 0.5 * conductance.col(2).sum();
  require_current(ideal(conductance), {wordline, bitline}, expected);
}

TEST_CASE("solver/solve_circuit: open and shorted cells", "[solver]") {
  // A shorted cell alone: 100 + 400 ohm.
  require_current(make_circuit(row({shorted}), {100, 400, 7, 9}), {column({1}), {}},
                  column({1.0 / 500}));
  // Source of 1 kohm, sinks of 1 kohm; cell 0 shorted, cell 1 of 1 kohm, no line resistance:
  // branches of 1 and 2 kohm in parallel, 2/3 kohm, u = 0.4 V.
  require_current(make_circuit(row({shorted, 1e-3}), {1000, 1000, 0, 0}), {column({1}), {}},
                  column({0.4e-3, 0.2e-3}));
  // With ideal sinks and drivers of 1 kohm the shorted cell holds wordline 0 at 0 V.
  Circuit circuit =
      make_circuit((Matrix(2, 2) << shorted, 1e-3, 1e-3, 0).finished(), {1000, 0, 0, 0});
  require_current(circuit, {column({1, 1}), {}}, column({1e-3 + 0.5e-3, 0}));
  // Ideal drivers, sinks of 1 kohm: cell (0,0) lifts the whole bitline to 1 V.
  circuit = make_circuit(column({shorted, 1e-3}), {0, 1000, 0, 0});
  require_current(circuit, {column({1, 3}), {}}, column({1e-3}));
}

TEST_CASE("solver/solve_circuit: shorted cells in a loop without resistance", "[solver]") {
  // Four shorted cells join two wordlines and two bitlines into one node; 1 V and 3 V through
  // 1 kohm each, two sinks of 1 kohm: at (1 + 3)/4 V. How the cells share is not determined, the
  // sinks are.
  Circuit circuit = make_circuit(Matrix::Constant(2, 2, shorted), {1000, 1000, 0, 0});
  require_current(circuit, {column({1, 3}), {}}, column({1e-3, 1e-3}));
  // One ideal sink takes all of it, (1 + 3) mA, the other bitline has no terminal.
  circuit.bottom_ohm(0) = 0;
  circuit.bottom_ohm(1) = open;
  require_current(circuit, {column({1, 3}), {}}, column({4e-3, 0}));
  // A segment that all this bypasses has no effect.
  circuit = make_circuit(Matrix::Constant(2, 2, shorted), {1000, 1000, 0, 0});
  circuit.wordline_ohm = column({1e-3, 0});
  require_current(circuit, {column({1, 3}), {}}, column({1e-3, 1e-3}));
}

TEST_CASE("solver/solve_circuit: a broken wordline", "[solver]") {
  // Broken between columns 0 and 1: what is behind hangs on its bitlines and carries nothing.
  Circuit circuit = ideal(row({1e-3, 2e-3, 4e-3}));
  circuit.wordline_ohm = row({open, 10});
  require_current(circuit, {column({1}), {}}, column({1e-3, 0, 0}));
  // Driven from both ends, the right end has cell 2 at once and cell 1, 500 ohm, behind 10 ohm.
  circuit.right_ohm(0) = 0;
  require_current(circuit, {column({1}), {}}, column({1e-3, 1.0 / 510, 4e-3}));
  // A line that is broken everywhere.
  circuit = ideal(row({1e-3, 2e-3, 4e-3}));
  circuit.wordline_ohm = row({open});
  require_current(circuit, {column({1}), {}}, column({1e-3, 0, 0}));
}

TEST_CASE("solver/solve_circuit: a broken bitline", "[solver]") {
  // Broken between rows 0 and 1: the upper cell is lost; sensed at both ends it is not.
  Circuit circuit = ideal(column({1e-3, 2e-3}));
  circuit.bitline_ohm(0, 0) = open;
  require_current(circuit, {column({1, 1}), {}}, column({2e-3}));
  circuit.top_ohm(0) = 1000;
  require_current(circuit, {column({1, 1}), {}}, column({2e-3 + 0.5e-3}));
  // Broken in one bitline of two only.
  circuit = ideal((Matrix(2, 2) << 1e-3, 4e-3, 2e-3, 8e-3).finished());
  circuit.bitline_ohm = row({open, 0});
  require_current(circuit, {column({1, 1}), {}}, column({2e-3, 12e-3}));
}

TEST_CASE("solver/solve_circuit: resistances of each line and of each segment", "[solver]") {
  // Two wordlines of their own resistance, ideal sinks: cell (i,1) behind that of wordline i.
  Circuit circuit = ideal(Matrix::Constant(2, 2, 1e-3));
  circuit.wordline_ohm = column({500, 1500});
  require_current(circuit, {column({1, 1}), {}}, column({2e-3, 1.0 / 1500 + 1.0 / 2500}));
  // Drivers of their own.
  circuit = ideal(column({1e-3, 1e-3}));
  circuit.left_ohm << 1000, 3000;
  require_current(circuit, {column({1, 1}), {}}, column({1.0 / 2000 + 1.0 / 4000}));
  // One bitline, 500 ohm then 0: rows 1 and 2 are one node. Cells 1, 1, 2 mS at 1, 0, 0 V, sink
  // 1 kohm: 1 V through 1 + 0.5 kohm on 1/(1 + 2 + 1) kohm: 0.25/1.75 V.
  circuit = make_circuit(column({1e-3, 1e-3, 2e-3}), {0, 1000, 0, 0});
  circuit.bitline_ohm = column({500, 0});
  require_current(circuit, {column({1, 0, 0}), {}}, column({0.25 / 1.75 * 1e-3}));
}

TEST_CASE("solver/solve_circuit: random circuits of everything match dense elimination",
          "[solver]") {
  constexpr std::uint64_t first_seed = 20260201;
  int solved = 0;
  int with_shorted = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 1000; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats || drawn.joined || drawn.undetermined) continue;
    const auto reference =
        xbar_test::dense_solution(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage);
    for (const SolveMethod method : methods) {
      if (!takes(method, drawn.circuit)) continue;
      CAPTURE(seed, xbar::solver::method_name(method));
      const SolveResult result =
          solve_by(method, drawn.circuit, {drawn.wordline_voltage, drawn.bitline_voltage});
      CAPTURE(result.report.kcl_residual, result.report.kcl_worst);
      const double error = (result.current.col(0) - reference.current).cwiseAbs().maxCoeff();
      REQUIRE(error <= reference.current_tolerance());
      // Voltages reach 1 V; what the refinement of milliohms beside 10 kohm leaves of them.
      const auto& nodes = result.nodes.front();
      REQUIRE((nodes.wordline - reference.wordline_node).cwiseAbs().maxCoeff() <= 1e-12);
      REQUIRE((nodes.bitline - reference.bitline_node).cwiseAbs().maxCoeff() <= 1e-12);
      REQUIRE(result.report.kcl_residual <= 1e-7);
    }
    ++solved;
    with_shorted += drawn.shorted ? 1 : 0;
  }
  REQUIRE(solved >= 900);
  REQUIRE(with_shorted >= 100);
}

TEST_CASE("solver/solve_circuit: reciprocity of a faulty circuit", "[solver]") {
  // What 1 V on wordline i drives through bitline j, 1 V on bitline j drives through wordline i,
  // whatever lies between.
  Circuit circuit = make_circuit(xbar_test::random_matrix(9, 7, 1e-5, 1e-3, 4), {500, 100, 5, 3},
                                 DriveEnds::both, SenseEnds::both);
  circuit.conductance(3, 2) = 0;
  circuit.wordline_ohm = xbar_test::random_matrix(9, 6, 1, 10, 5);
  circuit.wordline_ohm(4, 2) = open;
  circuit.bitline_ohm = xbar_test::random_matrix(8, 7, 1, 10, 6);
  circuit.bitline_ohm(2, 3) = open;
  circuit.right_ohm(0) = open;
  circuit.top_ohm(5) = open;
  const Circuit turned = transposed_circuit(circuit);
  for (const SolveMethod method : methods) {
    const Matrix forward = solve_by(method, circuit, {Matrix::Identity(9, 9), {}}).current;
    const Matrix backward = solve_by(method, turned, {Matrix::Identity(7, 7), {}}).current;
    // Row 0 of `turned` is the last bitline, its bitline 0 the last wordline.
    REQUIRE(relative_error(backward.reverse().transpose(), forward) <= 1e-12);
  }
}

TEST_CASE("solver/solve_circuit: voltages of unconnected ends have no effect", "[solver]") {
  Circuit circuit = make_circuit(Matrix::Constant(3, 2, 1e-4), {10, 20, 1, 2});
  circuit.left_ohm(1) = open;
  circuit.bottom_ohm(0) = open;
  for (const SolveMethod method : methods) {
    const auto one = solve_by(method, circuit, {column({1, 0, 2}), column({0, 0.5})});
    const auto other = solve_by(method, circuit, {column({1, 1e30, 2}), column({-1e30, 0.5})});
    REQUIRE(one.current == other.current);
    REQUIRE(one.current(0, 0) == 0);
    // 2 V rounded across 1 ohm, of 0.1 mA.
    REQUIRE(one.report.kcl_residual <= 1e-11);
    REQUIRE(other.report.kcl_residual <= 1e-11);
  }
}

TEST_CASE("solver/solve_circuit: equal voltages everywhere drive no current", "[solver]") {
  // Rounding leaves 1e-22 A here and there; neither the answer nor the check may make much of it.
  Circuit circuit =
      make_circuit(xbar_test::random_matrix(8, 8, 1e-6, 1e-3, 7), {500, 100, 2.5, 2.5});
  circuit.bottom_ohm(3) = open;
  circuit.conductance(2, 2) = 0;
  for (const SolveMethod method : methods) {
    const auto result =
        solve_by(method, circuit, {Matrix::Constant(8, 1, 0.3), Matrix::Constant(8, 1, 0.3)});
    // 8 cells of 1 mS with 0.3 V rounded at both ends.
    REQUIRE(result.current.cwiseAbs().maxCoeff() <= 8 * 1e-3 * 0.3 * 4e-16);
    REQUIRE(result.report.kcl_residual <= 1e-7);
  }
}
