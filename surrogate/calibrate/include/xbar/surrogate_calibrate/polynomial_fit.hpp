#pragma once

/// Makes the polynomial surrogate of an array of non-linear cells from the circuit, and measures
/// it.

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate/polynomial.hpp>

namespace xbar::surrogate {

/// A polynomial surrogate and how good it is.
struct PolynomialFit {
  PolynomialSurrogate<double> surrogate;
  /// Largest deviation of a cell's current from g1 v + g3 v^3 up to the largest input, relative to
  /// its current there.
  double cell_error = 0;
  CurrentError error;         ///< of the surrogate, at the held-out inputs
  CurrentError linear_error;  ///< of its linear part alone, at the same
};

/// A cell is I = g1 v + g3 v^3, g1 its slope at 0. `linear` is the exact effective conductance of
/// the cells g1. With x(k,l) the voltage of cell (k,l) at unit input on its own wordline k, and
/// y_j(k,l) the share of a current beside it that reaches sink j (both of the cells g1), `cubic` is
///     gain(j)  sum over l of y_j(k,l) g3(k,l) x(k,l)^3.
/// gain(j), own(j) and mean(j) are fitted by least squares to Newton's solution, three numbers a
/// bitline, which take up what lies beyond the cube as well. Linear cells: the rest is exactly 0.
///
/// 64x64, 1 ohm wires, 100 ohm terminals, sinh cells with 21 % more than their ohmic current at the
/// largest input, half of the inputs 0, 64 vectors for the fit: worst deviation over 128 held-out
/// ones 0.14 % at R_on 20 kohm (linear part alone 6 %), 0.06 % at 100 kohm (10 %). Inputs of
/// another kind than the fit's, at 20 kohm: one in ten driven 0.14 %, one wordline alone 0.26 %,
/// signed 2.4 % (0.75 % if fitted to signed ones). docs/theory.md compares other forms and cells.
///
/// @param conductance  G, m x n, siemens, finite and >= 0
/// @param fit_inputs   V, m x p, volt, p >= 12: like those that the surrogate is for
/// @param held_out     V, m x q, volt, q >= 1: others, for the error
/// @throws InvalidArgument if a shape does not fit, no input differs from 0, or the cells are no
///         such cubic: cell_error above 5 %, as where exponentials take over, where the current
///         depends on the sign of the voltage, or where the slope at 0 says nothing
///         (selectors); as solver::solve_newton()
/// @cost m + n linear solves of the array with all node voltages kept, p + q by Newton's method
[[nodiscard]] PolynomialFit fit_polynomial(const Matrix& conductance,
                                           const device::CellModel& cells,
                                           const WireResistance& wires, const Matrix& fit_inputs,
                                           const Matrix& held_out);

}  // namespace xbar::surrogate
