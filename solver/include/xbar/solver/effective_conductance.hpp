#pragma once

/// The wired array as a plain matrix: exact effective conductance.

#include <span>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar::solver {

/// The array read backward as a forward one: transposed_circuit() with the resistances that sit at
/// its terminals after `terminals`.
struct TransposedArray {
  Matrix conductance;
  WireResistance wires;
};
[[nodiscard]] TransposedArray transposed_array(const Matrix& conductance,
                                               const WireResistance& wires, Terminals terminals);

/// Undoes the index orders of transposed_array for a matrix of the transposed array (n x m, inputs
/// are bitlines): R(j,i) = M(n-1-j, m-1-i).
[[nodiscard]] Matrix from_transposed_order(const Matrix& matrix);

/// Effective conductance: the matrix with I = G_eff^T V for every V, bitlines at virtual ground.
/// By star-mesh elimination of all inner nodes over nested blocks (docs/theory.md), which only adds
/// positive numbers, so that every entry is accurate to about 1e-14 of itself; where a line segment
/// has zero resistance, by solve() with unit inputs.
/// @return m x n, siemens
/// @throws as solve()
/// @cost about 16 n^3 multiply-adds for n x n
[[nodiscard]] Matrix effective_conductance(const Circuit& circuit);

/// The same for equal resistances on all lines.
/// @return m x n (forward: V on wordlines, I on bitlines) or n x m (backward: inputs are bitlines)
[[nodiscard]] Matrix effective_conductance(const Matrix& conductance, const WireResistance& wires,
                                           Direction direction = Direction::forward,
                                           Terminals terminals = Terminals::keep);

/// The same for a batch of tiles, on all cores.
[[nodiscard]] std::vector<Matrix> effective_conductance(std::span<const Matrix> tiles,
                                                        const WireResistance& wires,
                                                        Direction direction = Direction::forward,
                                                        Terminals terminals = Terminals::keep);

}  // namespace xbar::solver
