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
  const ProgressCallback& progress;
};

/// The order that falling sensitivities ask for, freedoms that are not given left as they are.
[[nodiscard]] mapping::ArrayOrder order_by(const LayerSensitivity& sensitivity,
                                           const mapping::CrossbarMatrix& matrix,
                                           const mapping::RemapFreedoms& freedoms);

void remap_static(const RemapJob& job, const std::vector<LayerSensitivity>& ideal);
/// @return passes that helped
int remap_dynamic(const RemapJob& job);
void remap_optimal(const RemapJob& job);

}  // namespace xbar::nn
