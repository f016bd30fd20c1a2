#pragma once

/// Closed-form effective conductance of one array by two ladder recursions.

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::surrogate {

/// Ladder surrogate: G_eff(i,j) ~ a(i,j) G(i,j) b(i,j), where
///   a(i,j) = u(i,j)/V(i) on wordline i alone, its cells leading to ground ("bitlines grounded"),
///   b(i,j) = share of a current entering bitline j at row i that reaches the sink, the cells
///            leading to held wordlines.
/// Both are the ladder recursions of the line method (Y(k) = G(k) + Y(k+1)/(1 + r Y(k+1))).
/// It over-states IR drop because real bitlines are not at ground: at 64x64, R_on 20 kohm, 1 ohm
/// wires and 100 ohm terminals the output currents are about 3 % low; exact for r -> 0.
/// @param conductance  G, m x n, siemens, >= 0
/// @return m x n, siemens
/// @cost O(mn)
[[nodiscard]] Matrix ladder(const Matrix& conductance, const WireResistance& wires);

/// Operating-point factor k(i,j) = (u - w)/u of the cells' true voltages at a typical input: what
/// is left of the wordline's voltage across the cell. On a wordline driven with less than 1 % of
/// the largest input the ratio says nothing; there the wordline voltage is replaced by the mean
/// over the driven ones at the same distance from the driver.
/// @param wordline, bitline  node voltages u, w of the exact solution, m x n
/// @param voltage            the input V, m, that they belong to
[[nodiscard]] Matrix operating_point_factor(const Matrix& wordline, const Matrix& bitline,
                                            const Vector& voltage);

/// Operating-point ladder: the ladder with G k in place of G in the wordline recursion. Its
/// currents are exact at the operating point where k was measured (undriven wordlines aside), close
/// around it: at 64x64, R_on 20 kohm, 1 ohm wires, random sparse inputs differ by about 0.2 %.
/// @param factor  k, m x n, from operating_point_factor
[[nodiscard]] Matrix operating_point_ladder(const Matrix& conductance, const Matrix& factor,
                                            const WireResistance& wires);

}  // namespace xbar::surrogate
