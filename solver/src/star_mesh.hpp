#pragma once

/// Effective conductance by elimination: every inner node of the array is replaced by the mesh of
/// conductances that its neighbours see through it.
///
/// Star-mesh step for node k with neighbours i, j:  g(i,j) += g(i,k) g(k,j) / sum_l g(k,l).
/// Only positive numbers are added, multiplied and divided [Grassmann1985], so that every entry of
/// the result, however small, keeps a relative error of some ten roundings, whatever the ratio of
/// wire to cell conductance.
/// Nodes are eliminated over nested blocks (nested dissection [George1973]), so that an n x n array
/// takes about 16 n^3 multiply-adds, nearly all of them in dense matrix products. Long arrays take
/// up to 40 min(m,n)^2 max(m,n).

#include <xbar/core/matrix.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar::solver {

/// Whether the method takes the circuit: no line segment of zero resistance and no shorted cell,
/// which merge nodes that it keeps apart, and nothing beyond 1e290 siemens. Terminals of zero
/// resistance are taken, at either end or both, on some lines or all.
[[nodiscard]] bool star_mesh_applies(const Circuit& circuit);

/// G_eff, m x n, siemens: current into bitline terminals per volt at wordline terminals, all other
/// terminals at 0 V. Runs on the calling thread and keeps its work space (40 MB for 512 x 512)
/// between calls of a thread, but not that of larger arrays (150 MB for 1024 x 1024).
/// @param circuit one that passed check_circuit() and star_mesh_applies()
[[nodiscard]] Matrix star_mesh_effective(const Circuit& circuit);

}  // namespace xbar::solver
