#include <cmath>
#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/solver/branch_currents.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"
#include "support/message.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::branch_currents;
using xbar::solver::BranchCurrents;
using xbar::solver::Circuit;
using xbar::solver::DriveEnds;
using xbar::solver::ir_drop;
using xbar::solver::make_circuit;
using xbar::solver::NodeVoltages;
using xbar::solver::Power;
using xbar::solver::SenseEnds;
using xbar::solver::SolveMethod;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

constexpr double open = std::numeric_limits<double>::infinity();
constexpr double shorted = open;

NodeVoltages solved_nodes(const Circuit& circuit, const Vector& wordline, const Vector& bitline) {
  const auto solver = xbar::solver::make_array_solver(SolveMethod::direct);
  solver->factor(circuit);
  xbar::solver::SolveOptions options;
  options.method = SolveMethod::direct;
  options.node_voltages = true;
  return solver->solve({wordline, bitline}, options).nodes.front();
}

double largest(const BranchCurrents& currents) {
  return std::max({currents.cell.cwiseAbs().maxCoeff(), currents.wordline.cwiseAbs().maxCoeff(),
                   currents.bitline.cwiseAbs().maxCoeff()});
}

// Largest net current into a node.
double largest_net(const BranchCurrents& currents) {
  const Index m = currents.cell.rows();
  const Index n = currents.cell.cols();
  const Matrix into_u =
      currents.wordline.leftCols(n) - currents.wordline.rightCols(n) - currents.cell;
  const Matrix into_w =
      currents.bitline.topRows(m) - currents.bitline.bottomRows(m) + currents.cell;
  return std::max(into_u.cwiseAbs().maxCoeff(), into_w.cwiseAbs().maxCoeff());
}

double sum(const Power& power) {
  return power.cells_watt + power.wordlines_watt + power.bitlines_watt + power.terminals_watt;
}

}  // namespace

TEST_CASE("solver/branch_currents: a series circuit by hand", "[solver]") {
  // 3 V -- 100 ohm -- 1 mS -- 400 ohm -- 0 V: 2 mA. The right and top ends are open.
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 1e-3), {100, 400, 7, 9});
  const Vector v = Vector::Constant(1, 3);
  const NodeVoltages nodes{Matrix::Constant(1, 1, 2.8), Matrix::Constant(1, 1, 0.8)};
  const BranchCurrents currents = branch_currents(circuit, v, {}, nodes);
  REQUIRE_THAT(currents.cell(0, 0), WithinRel(2e-3, 1e-14));
  REQUIRE_THAT(currents.wordline(0, 0), WithinRel(2e-3, 1e-14));
  REQUIRE(currents.wordline(0, 1) == 0);
  REQUIRE(currents.bitline(0, 0) == 0);
  REQUIRE_THAT(currents.bitline(1, 0), WithinRel(2e-3, 1e-14));
  const Power power = xbar::solver::power(circuit, v, {}, nodes, currents);
  REQUIRE_THAT(power.delivered_watt, WithinRel(6e-3, 1e-14));
  REQUIRE_THAT(power.cells_watt, WithinRel(4e-3, 1e-14));
  REQUIRE_THAT(power.terminals_watt, WithinRel(4e-6 * 500, 1e-14));
  REQUIRE(power.wordlines_watt == 0);
  REQUIRE(power.bitlines_watt == 0);
  REQUIRE_THAT(xbar::solver::cell_power(nodes, currents)(0, 0), WithinRel(4e-3, 1e-14));
  // 3 V ideal, 2 V there.
  REQUIRE_THAT(ir_drop(circuit, v, {}, nodes)(0, 0), WithinRel(1.0, 1e-14));
}

TEST_CASE("solver/branch_currents: lines with two ends by hand", "[solver]") {
  // Ideal drivers of 1 V at both ends, segments of 10 and 30 ohm, the only closed cell in the
  // middle takes what it takes: the ends share it 3 to 1, at 7.5 ohm.
  Circuit circuit =
      make_circuit((Matrix(1, 3) << 0, 1e-3, 0).finished(), {}, DriveEnds::both, SenseEnds::bottom);
  circuit.wordline_ohm = (Matrix(1, 2) << 10, 30).finished();
  const Vector v = Vector::Ones(1);
  NodeVoltages nodes = solved_nodes(circuit, v, {});
  BranchCurrents currents = branch_currents(circuit, v, {}, nodes);
  const double total = 1 / 1007.5;
  const Matrix expected = (Matrix(1, 4) << 0.75, 0.75, -0.25, -0.25).finished() * total;
  REQUIRE(relative_error(currents.wordline, expected) <= 1e-14);
  const Power power = xbar::solver::power(circuit, v, {}, nodes, currents);
  REQUIRE_THAT(power.wordlines_watt, WithinRel(total * total * (0.5625 * 10 + 0.0625 * 30), 1e-14));
  REQUIRE(power.terminals_watt == 0);

  // Without any resistance the four segments count as equal: two from the left, two from the right.
  circuit.wordline_ohm = Matrix::Zero(1, 1);
  nodes = solved_nodes(circuit, v, {});
  currents = branch_currents(circuit, v, {}, nodes);
  const Matrix equal = (Matrix(1, 4) << 0.5, 0.5, -0.5, -0.5).finished() * 1e-3;
  REQUIRE(relative_error(currents.wordline, equal) <= 1e-14);

  // A bitline broken in the middle, sensed at both ends: each part has its own.
  circuit = make_circuit((Matrix(3, 1) << 1e-3, 2e-3, 4e-3).finished(), {0, 0, 0, 5},
                         DriveEnds::left, SenseEnds::both);
  circuit.bitline_ohm = (Matrix(2, 1) << open, 0).finished();
  const Vector ones = Vector::Ones(3);
  nodes = solved_nodes(circuit, ones, {});
  currents = branch_currents(circuit, ones, {}, nodes);
  REQUIRE(relative_error(currents.bitline, (Matrix(4, 1) << -1e-3, 0, 2e-3, 6e-3).finished()) <=
          1e-14);
}

TEST_CASE("solver/branch_currents: shorted cells by hand", "[solver]") {
  // 1 V -- 1 kohm -- shorted -- bitline 0 -- ideal, beside an open wordline: the cell carries all.
  Circuit circuit =
      make_circuit((Matrix(2, 2) << shorted, 0, 1e-3, 1e-3).finished(), {1000, 0, 0, 0});
  const Vector v = (Vector(2) << 1, 2).finished();
  NodeVoltages nodes = solved_nodes(circuit, v, {});
  BranchCurrents currents = branch_currents(circuit, v, {}, nodes);
  REQUIRE_THAT(currents.cell(0, 0), WithinRel(1e-3, 1e-14));
  // 2 V through 1 kohm on two cells of 1 kohm: 2/1500 A.
  REQUIRE_THAT(currents.wordline(1, 0), WithinRel(2.0 / 1500, 1e-14));
  REQUIRE_THAT(currents.bitline(2, 0), WithinRel(1e-3 + 1.0 / 1500, 1e-14));
  REQUIRE_THAT(currents.bitline(2, 1), WithinRel(1.0 / 1500, 1e-14));

  // A chain of them through lines without resistance: 1 V -- 1 kohm -- wordline 0 -- bitline 1
  // (no terminal) -- wordline 1 (no terminal) -- bitline 0 -- 1 kohm -- 0 V. 0.5 mA through all.
  circuit =
      make_circuit((Matrix(2, 2) << 0, shorted, shorted, shorted).finished(), {1000, 1000, 0, 0});
  circuit.left_ohm(1) = open;
  circuit.bottom_ohm(1) = open;
  nodes = solved_nodes(circuit, v, {});
  currents = branch_currents(circuit, v, {}, nodes);
  const Matrix chain = (Matrix(2, 2) << 0, 0.5e-3, 0.5e-3, -0.5e-3).finished();
  REQUIRE(relative_error(currents.cell, chain) <= 1e-13);

  // An ideal driver, and wordline 1 and bitline 1 close a loop with wordline 2 and bitline 0: the
  // 1 mA that the sink of 1 kohm at bitline 0 lets through must pass cell (0,2), whatever runs
  // around the loop.
  circuit = make_circuit(
      (Matrix(3, 3) << 0, 0, shorted, shorted, shorted, shorted, shorted, shorted, 0).finished(),
      {0, 1000, 0, 0});
  for (const Index k : {1, 2}) {
    circuit.left_ohm(k) = open;
    circuit.bottom_ohm(k) = open;
  }
  const Vector one = (Vector(3) << 1, 0, 0).finished();
  nodes = solved_nodes(circuit, one, {});
  currents = branch_currents(circuit, one, {}, nodes);
  REQUIRE_THAT(currents.cell(0, 2), WithinRel(1e-3, 1e-13));
  REQUIRE_THAT(currents.cell(1, 2), WithinRel(-1e-3, 1e-13));
  REQUIRE_THAT(currents.cell.col(0).sum(), WithinRel(1e-3, 1e-13));
  REQUIRE(largest_net(currents) <= 1e-16);
}

TEST_CASE("solver/branch_currents: a cell that conducts better than its wires", "[solver]") {
  // 1 V -- 100 ohm -- 1 nohm -- 400 ohm -- 0 V: 2 mA, of which the cell's voltage, 2e-12 of 0.8 V,
  // tells four digits.
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 1e9), {100, 400, 0, 0});
  const Vector v = Vector::Ones(1);
  const BranchCurrents currents = branch_currents(circuit, v, {}, solved_nodes(circuit, v, {}));
  REQUIRE_THAT(currents.cell(0, 0), WithinRel(1 / (500 + 1e-9), 1e-14));
}

TEST_CASE("solver/branch_currents: random circuits of everything match dense elimination",
          "[solver]") {
  constexpr std::uint64_t first_seed = 20260401;
  int compared = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + 1000; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats || drawn.joined || drawn.undetermined) continue;
    const Circuit& circuit = drawn.circuit;
    const Vector& v = drawn.wordline_voltage;
    const Vector& b = drawn.bitline_voltage;
    const auto reference = xbar_test::dense_solution(circuit, v, b);
    const double tolerance = reference.current_tolerance();
    CAPTURE(seed);
    const NodeVoltages nodes = solved_nodes(circuit, v, b);
    const BranchCurrents currents = branch_currents(circuit, v, b, nodes);
    // Each is the best of several sums of a few currents rounded to 1e-16 of theirs.
    const double error = std::max({(currents.cell - reference.cell).cwiseAbs().maxCoeff(),
                                   (currents.wordline - reference.wordline).cwiseAbs().maxCoeff(),
                                   (currents.bitline - reference.bitline).cwiseAbs().maxCoeff()});
    REQUIRE(error <= tolerance);
    REQUIRE(largest_net(currents) <= tolerance);

    // Tellegen: what is delivered is lost. No voltage is above 1 V.
    const Power power = xbar::solver::power(circuit, v, b, nodes, currents);
    REQUIRE_THAT(power.delivered_watt, WithinAbs(sum(power), tolerance));
    REQUIRE(power.cells_watt >= -tolerance);
    REQUIRE(power.wordlines_watt >= 0);
    REQUIRE(power.bitlines_watt >= 0);
    REQUIRE(power.terminals_watt >= 0);
    const Matrix drop = ir_drop(circuit, v, b, nodes);
    for (Index i = 0; i < circuit.wordlines(); ++i) {
      for (Index j = 0; j < circuit.bitlines(); ++j) {
        const bool placed = std::min(circuit.left_ohm(i), circuit.right_ohm(i)) < open &&
                            std::min(circuit.top_ohm(j), circuit.bottom_ohm(j)) < open;
        const double expected = v(i) - b(j) - (nodes.wordline(i, j) - nodes.bitline(i, j));
        REQUIRE_THAT(drop(i, j), WithinAbs(placed ? expected : 0.0, 1e-15 * 8));
      }
    }
    ++compared;
  }
  REQUIRE(compared >= 900);
}

TEST_CASE("solver/branch_currents: a 64 x 64 array loses no digits to small wires", "[solver]") {
  // Milliohms beside 100 kohm to 1 Mohm: a segment has 1e-9 V or so across it, of which rounding
  // leaves seven digits; Kirchhoff's law all of them.
  for (const double ohm : {2.5, 1e-3, 1e-6}) {
    const Circuit circuit = make_circuit(random_matrix(64, 64, 1e-6, 1e-5, 1), {500, 100, ohm, ohm},
                                         DriveEnds::both, SenseEnds::both);
    const Vector v = random_matrix(64, 1, 0, 1, 2);
    const NodeVoltages nodes = solved_nodes(circuit, v, {});
    const BranchCurrents currents = branch_currents(circuit, v, {}, nodes);
    CAPTURE(ohm);
    const double scale = largest(currents);
    REQUIRE(largest_net(currents) <= 1e-13 * scale);
    const Power power = xbar::solver::power(circuit, v, {}, nodes, currents);
    REQUIRE_THAT(power.delivered_watt, WithinRel(sum(power), 1e-12));
    // Ohm's law in every segment, as far as the voltages tell: 1 V rounded to 1.1e-16 at both ends.
    for (Index i = 0; i < 64; ++i) {
      for (Index j = 1; j < 64; ++j) {
        const double across = nodes.wordline(i, j - 1) - nodes.wordline(i, j);
        REQUIRE_THAT(currents.wordline(i, j) * ohm, WithinAbs(across, 1e-15));
      }
    }
  }
}

TEST_CASE("solver/branch_currents: arguments that do not fit are named", "[solver]") {
  const Circuit circuit = make_circuit(Matrix::Constant(2, 3, 1e-3), {100, 400, 7, 9});
  const NodeVoltages nodes{Matrix::Ones(2, 3), Matrix::Zero(2, 3)};
  const auto refusal = [&](const Vector& v, const Vector& b, const NodeVoltages& at) {
    return xbar_test::message_of<xbar::InvalidArgument>(
        [&] { (void)branch_currents(circuit, v, b, at); });
  };
  using xbar_test::Contains;
  REQUIRE_THAT(refusal(Vector::Ones(3), {}, nodes),
               Contains("wordline_voltage: expected 2 values, got 3"));
  REQUIRE_THAT(refusal(Vector::Ones(2), Vector::Ones(2), nodes),
               Contains("bitline_voltage: expected 3 values, got 2"));
  REQUIRE_THAT(refusal(Vector::Ones(2), {}, {Matrix::Ones(3, 2), Matrix::Zero(2, 3)}),
               Contains("wordline nodes: expected 2 x 3 like the conductance, got 3 x 2"));
}
