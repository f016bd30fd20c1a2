#pragma once

/// Re-mapping by exchanges of lines that lower a loss.

#include <xbar/mapping/remap/optimal.hpp>

namespace xbar::mapping {

/// What a change D of a layer's effective weights does to a loss, to second order:
///   <gradient, D> + curvature / 2 tr(M D C D^T).
struct LossModel {
  MatrixF gradient;  ///< d(loss)/dW_eff, outputs x inputs
  const SignalMoments* moments = nullptr;
  float curvature = 1;
};

/// Exchanges the slots of two outputs, two inputs, or one and an empty slot, many pairs at once,
/// those first that promise most by what wires take at a slot on average; measures the arrays after
/// each round and keeps it if the model's loss fell, else tries fewer pairs, until no pair is left
/// or a round brings less than a hundredth of what all have.
/// @param matrix  left in the new order
/// @return what the model says of the change, <= 0
/// @throws InvalidArgument if the gradient or the moments have other sizes
double exchange_lines(CrossbarMatrix& matrix, const LossModel& model,
                      const RemapFreedoms& freedoms);

}  // namespace xbar::mapping
