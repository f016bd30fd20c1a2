#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/solver/effective_conductance.hpp>

#include "direct_solver.hpp"
#include "line_solver.hpp"

namespace xbar::solver {

TransposedArray transposed_array(const Matrix& conductance, const WireResistance& wires,
                                 Terminals terminals) {
  TransposedArray result;
  result.conductance = conductance.transpose().reverse();
  result.wires.wordline_ohm = wires.bitline_ohm;
  result.wires.bitline_ohm = wires.wordline_ohm;
  // The driven end of the transposed array is the bitlines' sense end, where sink_ohm sits.
  result.wires.source_ohm = wires.sink_ohm;
  result.wires.sink_ohm = wires.source_ohm;
  if (terminals == Terminals::swap) std::swap(result.wires.source_ohm, result.wires.sink_ohm);
  return result;
}

Matrix from_transposed_order(const Matrix& matrix) { return matrix.reverse(); }

Matrix effective_conductance(const Matrix& conductance, const WireResistance& wires,
                             Direction direction, Terminals terminals) {
  if (direction == Direction::backward) {
    const TransposedArray back = transposed_array(conductance, wires, terminals);
    return from_transposed_order(effective_conductance(back.conductance, back.wires));
  }
  LineSolver line;
  line.factor(conductance, wires);
  try {
    return line.effective_conductance({});
  } catch (const NumericalError&) {
    DirectSolver direct;
    direct.factor(conductance, wires);
    const Matrix units = Matrix::Identity(conductance.rows(), conductance.rows());
    return direct.solve(units, {}).current.transpose();
  }
}

}  // namespace xbar::solver
