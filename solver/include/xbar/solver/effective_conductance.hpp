#pragma once

/// The wired array as a plain matrix: exact effective conductance.

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::solver {

/// The array seen from the bitlines: the same circuit with wordlines and bitlines exchanged and
/// both index orders reversed, so that the driven ends are again at index 0 and the sensed ends at
/// the last: G'(n-1-j, m-1-i) = G(i,j).
struct TransposedArray {
  Matrix conductance;
  WireResistance wires;
};
[[nodiscard]] TransposedArray transposed_array(const Matrix& conductance,
                                               const WireResistance& wires, Terminals terminals);

/// Undoes the index orders of transposed_array for a matrix of the transposed array (n x m, inputs
/// are bitlines): R(j,i) = M(n-1-j, m-1-i).
[[nodiscard]] Matrix from_transposed_order(const Matrix& matrix);

/// Effective conductance: the matrix with I = G_eff^T V for every V.
/// @return m x n (forward: V on wordlines, I on bitlines) or n x m (backward: inputs are bitlines)
/// @throws as solve()
/// @cost min(m, n) solves with shared preparation, batched
[[nodiscard]] Matrix effective_conductance(const Matrix& conductance, const WireResistance& wires,
                                           Direction direction = Direction::forward,
                                           Terminals terminals = Terminals::keep);

}  // namespace xbar::solver
