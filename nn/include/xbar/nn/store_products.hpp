#pragma once

/// Products with a weight store outside a layer: for who keeps layers of his own.

#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

/// y = x W_forward^T: a read with a noise of its own, through the store's converters where there
/// are any.
/// @param x  count x in   @param y  out: count x out
/// @param following  whether calibrated ranges follow the signals, as in training
void read_forward(WeightStore& store, const float* x, Index count, bool following, float* y);

/// dx = dy W_backward: the transposed read, likewise.
/// @param dy  count x out   @param dx  out: count x in
void read_backward(WeightStore& store, const float* dy, Index count, bool following, float* dx);

/// Requests W += -learning_rate dy^T x of a store that forms its updates from the signals.
/// @pre store.takes_signals()
void update_from_signals(WeightStore& store, const float* x, const float* dy, Index count,
                         double learning_rate);

}  // namespace xbar::nn
