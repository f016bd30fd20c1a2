#pragma once

/// The state of a network's arrays in files.

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// The state of all arrays and converters, for resuming bit for bit: tensors "LAYER.cells" (a
/// weight's cells, outputs, inputs), "LAYER.ratios" (planes, bitlines, wordlines),
/// "LAYER.backward", "LAYER.gain", "LAYER.slot", of pulsed cells "LAYER.hidden0" and "LAYER.used0",
/// what a store keeps besides ("LAYER.fast.cells", "LAYER.accumulator"), and metadata.
[[nodiscard]] TensorFile crossbar_state(Network& network);

/// Puts it back. @throws InvalidArgument for a missing or mis-shaped tensor.
void load_crossbar_state(Network& network, const TensorFile& file);

}  // namespace xbar::nn
