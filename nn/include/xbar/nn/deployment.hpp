#pragma once

/// Trained networks put on arrays, and their weights as files.

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// Weights of a network as a file: PyTorch's names; for a network on arrays the programmed weights,
/// and metadata "weight_range/LAYER" so that the same cells can be made again.
[[nodiscard]] TensorFile weights_file(Network& network);

/// Puts a digital network on arrays, with the weight ranges (and, where they are learned, those of
/// the converters) of the file where it has them. Sampled arrays of a surrogate other than the
/// exact one are checked at once.
/// @throws InvalidArgument as map_to_crossbars, and for metadata that are no range
void deploy(Network& network, const TensorFile& weights, const CrossbarMapping& mapping);

/// Lets converters whose ranges are calibrated see the first images; nothing for others.
void calibrate_converters(Network& network, const mapping::Technology& technology,
                          const ImageSet& images);

/// The same cells, write noise and all, and the same ranges of converters; the surrogate stays each
/// network's own.
void copy_cells(Network& from, Network& to);

}  // namespace xbar::nn
