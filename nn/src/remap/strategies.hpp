#pragma once

/// The strategies of nn::remap, each in a file of its own. They leave the layers in the new order.

#include <vector>

#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/remap.hpp>

namespace xbar::nn {

/// What a strategy works with.
struct RemapJob {
  Network& ideal;
  Network& on_arrays;
  const std::vector<CrossbarLayer>& layers;
  const ImageSet& images;  // calibration images, no more than wanted
  const RemapOptions& options;
  ProgressCallback progress;
};

/// The order that falling sensitivities ask for, freedoms that are not given left as they are.
[[nodiscard]] mapping::ArrayOrder order_by(const LayerSensitivity& sensitivity,
                                           const mapping::CrossbarMatrix& matrix,
                                           const mapping::RemapFreedoms& freedoms);

/// Sensitivities of a network, ideal or on arrays, of the kind that is wanted.
[[nodiscard]] std::vector<LayerSensitivity> sensitivities(const RemapJob& job, Network& network);

void remap_static(const RemapJob& job);
/// @return passes that helped
int remap_dynamic(const RemapJob& job);
/// @return steps that helped
int remap_optimal(const RemapJob& job);

}  // namespace xbar::nn
