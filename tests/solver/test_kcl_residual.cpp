#include <cmath>
#include <limits>
#include <string>

#include <xbar/solver/solve.hpp>

#include "kcl_residual.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"
#include "support/random_circuit.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Circuit;
using xbar::solver::kcl_residual;
using xbar::solver::kcl_residual_by_groups;
using xbar::solver::KclResidual;
using xbar::solver::make_circuit;
using xbar::solver::NodeVoltages;
using xbar::solver::sink_currents;
using xbar_test::random_matrix;
using xbar_test::WithinRel;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Any circuit with a wordline_ohm matrix of shape 1 x 1, m x 1 or m x (n-1), likewise bitline_ohm.
enum class Shape { all, each_line, each_segment };

Circuit shaped(Index m, Index n, Shape shape) {
  Circuit circuit = make_circuit(random_matrix(m, n, 1e-5, 1e-3, 1), {500, 100, 2, 3});
  if (shape == Shape::each_line) {
    circuit.wordline_ohm = random_matrix(m, 1, 1, 10, 2);
    circuit.bitline_ohm = random_matrix(1, n, 1, 10, 3);
  } else if (shape == Shape::each_segment) {
    if (n > 1) circuit.wordline_ohm = random_matrix(m, n - 1, 1, 10, 2);
    if (m > 1) circuit.bitline_ohm = random_matrix(m - 1, n, 1, 10, 3);
  }
  return circuit;
}

}  // namespace

TEST_CASE("solver/kcl_residual: two nodes by hand", "[solver]") {
  // 1 V -- 100 ohm -- u = 0.9 V -- 1 mS -- w = 0.1 V -- 200 ohm -- 0.05 V. Into u flow 1 mA and out
  // 0.8 mA; into w 0.8 mA and out 0.25 mA: the worst is 0.55 mA of 0.8 mA, at w.
  Circuit circuit = make_circuit(Matrix::Constant(1, 1, 1e-3), {100, 200, 0, 0});
  const NodeVoltages nodes{Matrix::Constant(1, 1, 0.9), Matrix::Constant(1, 1, 0.1)};
  const Vector one = Vector::Ones(1);
  KclResidual residual = kcl_residual(circuit, one, Vector::Constant(1, 0.05), nodes);
  REQUIRE_THAT(residual.relative, WithinRel(0.55 / 0.8, 1e-14));
  REQUIRE(residual.where() == "bitline node (0,0)");
  // Without a second voltage it is ground: 0.8 - 0.5 mA.
  residual = kcl_residual(circuit, one, {}, nodes);
  REQUIRE_THAT(residual.relative, WithinRel(0.3 / 0.8, 1e-14));
  // A terminal at the other end adds (0.9 - 1)/50 = -2 mA out of u: 3 mA in, 0.8 out.
  circuit.right_ohm(0) = 50;
  residual = kcl_residual(circuit, one, {}, nodes);
  REQUIRE_THAT(residual.relative, WithinRel(2.2 / 0.8, 1e-14));
  REQUIRE(residual.where() == "wordline node (0,0)");
  // An ideal driver takes and gives what it must; that its node is 0.1 V off counts as 0.1 V across
  // 1 mS.
  circuit.left_ohm(0) = 0;
  circuit.bottom_ohm(0) = 0.1 / 0.8e-3;
  residual = kcl_residual(circuit, one, {}, nodes);
  REQUIRE_THAT(residual.relative, WithinRel(0.1 / 0.8, 1e-13));
  REQUIRE(residual.where() == "wordline node (0,0)");
}

TEST_CASE("solver/kcl_residual: cells whose voltages tell no current, by hand", "[solver]") {
  // 1 V -- 100 ohm -- shorted -- 400 ohm -- 0 V, both nodes at 0.9 V instead of 0.8 V: 1 mA in and
  // 2.25 mA out, the larger is the scale.
  Circuit circuit = make_circuit(Matrix::Constant(1, 1, infinity), {100, 400, 0, 0});
  NodeVoltages nodes{Matrix::Constant(1, 1, 0.9), Matrix::Constant(1, 1, 0.9)};
  const Vector one = Vector::Ones(1);
  REQUIRE_THAT(kcl_residual(circuit, one, {}, nodes).relative, WithinRel(1.25 / 2.25, 1e-13));
  // 1e12 S and a unit in the last place across them would be 0.1 mA, where 1 uA flows through
  // 1 Mohm: 50 uV across 100 ohm are 0.5 uA, half of it.
  circuit = make_circuit(Matrix::Constant(1, 1, 1e12), {100, 1e6, 0, 0});
  nodes.wordline.setConstant(1 - 5e-5);
  nodes.bitline.setConstant(std::nextafter(1 - 5e-5, 1.0));
  REQUIRE_THAT(kcl_residual(circuit, one, {}, nodes).relative, WithinRel(0.5, 1e-4));
}

TEST_CASE("solver/kcl_residual: rows and groups find the same", "[solver]") {
  // Voltages that solve nothing, so that every node has something to report. Shapes around the
  // vector widths, and every form of the line resistances.
  for (const auto& [m, n] :
       {std::pair<Index, Index>{1, 1}, {1, 9}, {9, 1}, {2, 2}, {7, 8}, {17, 33}}) {
    for (const Shape shape : {Shape::all, Shape::each_line, Shape::each_segment}) {
      for (int terminals = 0; terminals < 16; ++terminals) {
        Circuit circuit = shaped(m, n, shape);
        // Each end: as it is, or the other way round: open to connected, or to ideal.
        if (terminals % 2 == 1) circuit.left_ohm.setZero();
        if (terminals / 2 % 2 == 1) circuit.right_ohm.setConstant(30);
        if (terminals / 4 % 2 == 1) circuit.top_ohm.setConstant(40);
        if (terminals / 8 % 2 == 1) circuit.bottom_ohm.setZero();
        if (terminals == 15) circuit.right_ohm.setZero();
        if (terminals == 14) circuit.top_ohm.setZero();
        if (shape == Shape::each_segment && n > 2) circuit.wordline_ohm(m / 2, 1) = infinity;
        if (shape == Shape::each_segment && m > 2) circuit.bitline_ohm(1, n / 2) = infinity;
        if (shape == Shape::each_line && m > 1) circuit.conductance(m - 1, 0) = 0;
        const Vector wordline = random_matrix(m, 1, 0.5, 1, 4);
        const Vector bitline = random_matrix(n, 1, 0, 0.2, 5);
        const NodeVoltages nodes{random_matrix(m, n, 0.5, 1, 6), random_matrix(m, n, 0, 0.2, 7)};
        CAPTURE(m, n, static_cast<int>(shape), terminals);
        const KclResidual rows = kcl_residual(circuit, wordline, bitline, nodes);
        const KclResidual groups = kcl_residual_by_groups(circuit, wordline, bitline, nodes);
        // Sums of five currents in another order.
        REQUIRE_THAT(rows.relative, WithinRel(groups.relative, 1e-13));
        REQUIRE(rows.where() == groups.where());
        REQUIRE(rows.relative > 0);
      }
    }
  }
}

TEST_CASE("solver/kcl_residual: a node that is off is found, in any circuit", "[solver]") {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats || drawn.joined || drawn.undetermined) continue;
    const auto solution =
        xbar_test::dense_solution(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage);
    if (!(solution.largest_current() > 1e-12)) continue;
    CAPTURE(seed);
    NodeVoltages nodes{solution.wordline_node, solution.bitline_node};
    const auto check = [&] {
      return kcl_residual(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage, nodes)
          .relative;
    };
    // Rounded to double, the exact voltages leave what rounding_share in kcl_residual.cpp allows.
    REQUIRE(check() <= 1e-7);
    // 1 % of a cell's voltage put on its wordline node changes the current of the cell by 1 %; the
    // net current at that node or in its group by no less.
    Index i = 0;
    Index j = 0;
    solution.cell.cwiseAbs().maxCoeff(&i, &j);
    if (!std::isfinite(drawn.circuit.conductance(i, j))) continue;
    const double across = nodes.wordline(i, j) - nodes.bitline(i, j);
    if (!(std::abs(across) > 1e-6)) continue;
    const double change = 0.01 * across;
    nodes.wordline(i, j) += change;
    REQUIRE(check() >= 0.001);
    nodes.wordline(i, j) = std::nan("");
    REQUIRE(check() == infinity);
    ++found;
  }
  REQUIRE(found >= 200);
}

TEST_CASE("solver/kcl_residual: not-a-number is never a small residual", "[solver]") {
  const Circuit circuit = shaped(9, 9, Shape::all);
  const Vector wordline = Vector::Ones(9);
  for (const double bad : {std::nan(""), infinity, -infinity}) {
    for (const auto& [i, j] : {std::pair<Index, Index>{0, 0}, {4, 3}, {8, 8}}) {
      NodeVoltages nodes{Matrix::Ones(9, 9), Matrix::Zero(9, 9)};
      nodes.wordline(i, j) = bad;
      KclResidual residual = kcl_residual(circuit, wordline, {}, nodes);
      REQUIRE(residual.relative == infinity);
      REQUIRE(residual.where() ==
              "wordline node (" + std::to_string(i) + "," + std::to_string(j) + ")");
      nodes.wordline(i, j) = 1;
      nodes.bitline(i, j) = bad;
      residual = kcl_residual(circuit, wordline, {}, nodes);
      REQUIRE(residual.relative == infinity);
      REQUIRE_FALSE(residual.on_wordline);
    }
  }
}

TEST_CASE("solver/kcl_residual: sensed currents keep their digits", "[solver]") {
  // 1 V -- ideal -- G -- w -- R -- 0: I = 1/(1/G + R) whichever of the two is the larger; near the
  // other end of the range only one way of the two has 15 digits.
  for (const double g : {1e-9, 1e-6, 1e-3, 1.0, 1e3}) {
    for (const double ohm : {0.0, 1e-6, 1e-3, 1.0, 1e3, 1e6, 1e9}) {
      const Circuit circuit = make_circuit(Matrix::Constant(1, 1, g), {0, ohm, 0, 0});
      const double current = 1 / (1 / g + ohm);
      const NodeVoltages nodes{Matrix::Ones(1, 1), Matrix::Constant(1, 1, ohm * current)};
      CAPTURE(g, ohm);
      REQUIRE_THAT(sink_currents(circuit, Vector::Ones(1), {}, nodes)(0),
                   WithinRel(current, 1e-14));
    }
  }
}

TEST_CASE("solver/kcl_residual: a sensed current that only the wordline tells", "[solver]") {
  // 1 V -- 1 Gohm -- u -- 10 S -- 0.5 V, ideal: 0.5 nA, by which u lies 0.05 nV above 0.5 V. Of
  // that difference double precision has six digits.
  const Circuit circuit = make_circuit(Matrix::Constant(1, 1, 10), {1e9, 0, 0, 0});
  const Vector bitline = Vector::Constant(1, 0.5);
  const double current = 0.5 / (1e9 + 0.1);
  const NodeVoltages nodes{Matrix::Constant(1, 1, 0.5 + current / 10), bitline};
  REQUIRE_THAT(sink_currents(circuit, Vector::Ones(1), bitline, nodes)(0),
               WithinRel(current, 1e-15));
}

TEST_CASE("solver/kcl_residual: a part that has lost its sink adds no rounding", "[solver]") {
  // The upper two cells of 0.1 and 0.3 S are broken off and at 0.6 V, their mean; the sum of their
  // currents is rounded by 1e-17 A or so. What is sensed is 1 V across 1 nS.
  Circuit circuit = make_circuit((Matrix(3, 1) << 0.1, 0.3, 1e-9).finished(), {});
  circuit.bitline_ohm = (Matrix(2, 1) << 0, infinity).finished();
  const Vector v = (Vector(3) << 0.3, 0.7, 1).finished();
  const double mean = (0.1 * 0.3 + 0.3 * 0.7) / 0.4;
  const NodeVoltages nodes{v, (Vector(3) << mean, mean, 0).finished()};
  REQUIRE_THAT(sink_currents(circuit, v, {}, nodes)(0), WithinRel(1e-9, 1e-15));
}

TEST_CASE("solver/kcl_residual: sensed currents of any circuit", "[solver]") {
  int compared = 0;
  for (std::uint64_t seed = 1000; seed < 2000; ++seed) {
    const auto drawn = xbar_test::random_circuit(seed);
    if (drawn.floats || drawn.joined || drawn.undetermined) continue;
    const auto solution =
        xbar_test::dense_solution(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage);
    CAPTURE(seed);
    const Vector current =
        sink_currents(drawn.circuit, drawn.wordline_voltage, drawn.bitline_voltage,
                      {solution.wordline_node, solution.bitline_node});
    REQUIRE((current - solution.current).cwiseAbs().maxCoeff() <= solution.current_tolerance());
    ++compared;
  }
  REQUIRE(compared >= 900);
}
