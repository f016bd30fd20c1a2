#pragma once

/// Re-mapping by the error that each place would cause.

#include <xbar/mapping/array_order.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>

namespace xbar::mapping {

/// What a re-mapping may move.
struct RemapFreedoms {
  bool columns = true;  ///< outputs to other column slots
  bool rows = true;     ///< inputs to other row slots
};

/// Second moments of a layer's input x and of g, what its outputs do to the network's output: the
/// error D of a weight matrix changes that by g^T D x.
struct SignalMoments {
  MatrixF inputs;   ///< C = E[x x^T], inputs x inputs
  MatrixF outputs;  ///< M = E[g g^T], outputs x outputs
};

/// @throws InvalidArgument if the moments have other sizes than the layer
void check_moments(const CrossbarMatrix& matrix, const SignalMoments& moments);

/// Slots for outputs and inputs by assignment. Input k in row slot s costs
///   cost(k, s) = w_k e_s^2 + sum_o M_oo C_kk D_ok(s)^2
/// and an output likewise. e_s is the share that wires take, on average over the line, at that
/// place of an array of the layer's mean conductance. D_ok(s) is the error of the weights in the
/// cells that are there: faults, deviations, drift. w_k = sqrt(a_k l_k) joins what the line carries
/// and what it draws, which is dropped on all others it shares wires with: a_k = C_kk sum_o M_oo
/// W_ok^2 and l_k = sum_o |W_ok|, scaled to the same mean. With sound cells all costs are products,
/// and the largest w_k sit on the slots of least loss (product_assignment); with others they avoid
/// the cells that would hurt most (linear_assignment, which takes minutes for thousands of lines),
/// columns for the rows as they are first, then rows.
/// @throws InvalidArgument if the moments have other sizes
[[nodiscard]] ArrayOrder optimal_order(const CrossbarMatrix& matrix, const SignalMoments& moments,
                                       const RemapFreedoms& freedoms);

}  // namespace xbar::mapping
