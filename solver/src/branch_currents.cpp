#include <algorithm>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/solver/branch_currents.hpp>

#include "line_currents.hpp"

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

void check_size(std::string_view name, Index expected, Index found) {
  if (expected == found) return;
  throw InvalidArgument(fmt::format("{}: expected {} values, got {}", name, expected, found));
}

void check_shape(std::string_view name, const Circuit& circuit, Index rows, Index columns) {
  if (rows == circuit.wordlines() && columns == circuit.bitlines()) return;
  throw InvalidArgument(fmt::format("{}: expected {} x {} like the conductance, got {} x {}", name,
                                    circuit.wordlines(), circuit.bitlines(), rows, columns));
}

void check_arguments(const Circuit& circuit, const Vector& wordline_voltage,
                     const Vector& bitline_voltage, const NodeVoltages& nodes) {
  check_size("wordline_voltage", circuit.wordlines(), wordline_voltage.size());
  if (bitline_voltage.size() > 0) {
    check_size("bitline_voltage", circuit.bitlines(), bitline_voltage.size());
  }
  check_shape("wordline nodes", circuit, nodes.wordline.rows(), nodes.wordline.cols());
  check_shape("bitline nodes", circuit, nodes.bitline.rows(), nodes.bitline.cols());
}

double at(const Vector& voltage, Index line) { return voltage.size() == 0 ? 0.0 : voltage(line); }

double heat(double ohm, double current) { return ohm < open ? ohm * current * current : 0.0; }

}  // namespace

BranchCurrents branch_currents(const Circuit& circuit, const Vector& wordline_voltage,
                               const Vector& bitline_voltage, const NodeVoltages& nodes) {
  check_arguments(circuit, wordline_voltage, bitline_voltage, nodes);
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  CellCurrents cells = cell_currents(circuit, wordline_voltage, bitline_voltage, nodes);
  BranchCurrents currents;
  currents.wordline.resize(m, n + 1);
  currents.bitline.resize(m + 1, n);
  LineTracer tracer(circuit, wordline_voltage, bitline_voltage, nodes);
  for (Index i = 0; i < m; ++i) {
    tracer.trace_wordline(i, cells);
    for (Index j = 0; j <= n; ++j) currents.wordline(i, j) = tracer.current(j);
  }
  for (Index j = 0; j < n; ++j) {
    tracer.trace_bitline(j, cells);
    for (Index i = 0; i <= m; ++i) currents.bitline(i, j) = tracer.current(i);
  }
  currents.cell = std::move(cells.current);
  return currents;
}

Power power(const Circuit& circuit, const Vector& wordline_voltage, const Vector& bitline_voltage,
            const NodeVoltages& nodes, const BranchCurrents& currents) {
  check_arguments(circuit, wordline_voltage, bitline_voltage, nodes);
  const Index m = circuit.wordlines();
  const Index n = circuit.bitlines();
  check_size("wordline currents", m * (n + 1), currents.wordline.size());
  check_size("bitline currents", (m + 1) * n, currents.bitline.size());
  Power power;
  power.cells_watt = cell_power(nodes, currents).sum();
  // Segments and terminals by ohm * current^2: the currents have more digits than the differences
  // of nearly equal voltages.
  for (Index i = 0; i < m; ++i) {
    const double left = currents.wordline(i, 0);
    const double right = currents.wordline(i, n);
    power.delivered_watt += wordline_voltage(i) * (left - right);
    power.terminals_watt += heat(circuit.left_ohm(i), left) + heat(circuit.right_ohm(i), right);
    for (Index j = 1; j < n; ++j) {
      power.wordlines_watt += heat(circuit.wordline_segment_ohm(i, j - 1), currents.wordline(i, j));
    }
  }
  for (Index j = 0; j < n; ++j) {
    const double top = currents.bitline(0, j);
    const double bottom = currents.bitline(m, j);
    power.delivered_watt += at(bitline_voltage, j) * (top - bottom);
    power.terminals_watt += heat(circuit.top_ohm(j), top) + heat(circuit.bottom_ohm(j), bottom);
    for (Index i = 1; i < m; ++i) {
      power.bitlines_watt += heat(circuit.bitline_segment_ohm(i - 1, j), currents.bitline(i, j));
    }
  }
  return power;
}

Matrix cell_power(const NodeVoltages& nodes, const BranchCurrents& currents) {
  check_size("cell currents", nodes.wordline.size(), currents.cell.size());
  return (currents.cell.array() * (nodes.wordline - nodes.bitline).array()).matrix();
}

Matrix ir_drop(const Circuit& circuit, const Vector& wordline_voltage,
               const Vector& bitline_voltage, const NodeVoltages& nodes) {
  check_arguments(circuit, wordline_voltage, bitline_voltage, nodes);
  Matrix drop = Matrix::Zero(circuit.wordlines(), circuit.bitlines());
  for (Index i = 0; i < drop.rows(); ++i) {
    if (!(std::min(circuit.left_ohm(i), circuit.right_ohm(i)) < open)) continue;
    for (Index j = 0; j < drop.cols(); ++j) {
      if (!(std::min(circuit.top_ohm(j), circuit.bottom_ohm(j)) < open)) continue;
      // Each side by itself: a small drop keeps its digits.
      drop(i, j) = (wordline_voltage(i) - nodes.wordline(i, j)) +
                   (nodes.bitline(i, j) - at(bitline_voltage, j));
    }
  }
  return drop;
}

}  // namespace xbar::solver
