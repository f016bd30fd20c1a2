#pragma once

/// What flows and what is lost in a solved array, from its node voltages.

#include <xbar/core/matrix.hpp>
#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// Currents of all branches for one input vector, ampere.
struct BranchCurrents {
  Matrix cell;  ///< m x n, from wordline to bitline
  /// m x (n+1), from left to right: (i,0) out of the left terminal, (i,j) through the segment
  /// between columns j-1 and j, (i,n) into the right terminal.
  Matrix wordline;
  /// (m+1) x n, downwards: (0,j) out of the top terminal, (i,j) through the segment between rows
  /// i-1 and i, (m,j) into the bottom terminal. The sensed current of the bitline is
  /// (m,j) - (0,j).
  Matrix bitline;
};

/// Kirchhoff's current law along each line turns cell currents into line currents:
///   I(k+1) = I(k) -+ cell(k),
/// where the current at the first end follows from the voltages around the loop of a line with two
/// terminals, and is all or nothing for a line with one.
/// @param wordline_voltage V, m; bitline_voltage B, n (as in TerminalVoltage)
/// @throws InvalidArgument if a vector or matrix does not fit the circuit
/// @note Between two merged ends of a line without resistance the split of the current is not
/// determined; it is then that of equal segments.
[[nodiscard]] BranchCurrents branch_currents(const Circuit& circuit, const Vector& wordline_voltage,
                                             const Vector& bitline_voltage,
                                             const NodeVoltages& nodes);

/// Where the power goes, watt. delivered = cells + wordlines + bitlines + terminals (Tellegen).
struct Power {
  double delivered_watt = 0;  ///< by all terminal voltages, sum of V I
  double cells_watt = 0;
  double wordlines_watt = 0;  ///< line segments
  double bitlines_watt = 0;
  double terminals_watt = 0;  ///< left, right, top and bottom resistances
};
[[nodiscard]] Power power(const Circuit& circuit, const Vector& wordline_voltage,
                          const Vector& bitline_voltage, const NodeVoltages& nodes,
                          const BranchCurrents& currents);

/// Power of each cell, m x n, watt: cell current times cell voltage.
[[nodiscard]] Matrix cell_power(const NodeVoltages& nodes, const BranchCurrents& currents);

/// IR-drop map, m x n, volt: the voltage that ideal wires would put across the cell less the
/// voltage that it has, (V(i) - B(j)) - (u(i,j) - w(i,j)). 0 for cells on a line without a
/// terminal: nothing says what its voltage should be.
[[nodiscard]] Matrix ir_drop(const Circuit& circuit, const Vector& wordline_voltage,
                             const Vector& bitline_voltage, const NodeVoltages& nodes);

}  // namespace xbar::solver
