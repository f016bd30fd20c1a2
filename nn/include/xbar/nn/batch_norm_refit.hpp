#pragma once

/// Fitting batch normalisation anew, for a network whose other layers compute something else than
/// they did in training: on arrays, say.

#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// gamma and beta of every BatchNorm, in order.
[[nodiscard]] std::vector<Parameter*> batch_norm_parameters(Network& network);

/// Sets the running mean and variance of every BatchNorm to the plain mean of those of all batches
/// of the images; nothing else changes. The layers behind see each batch normalised by itself.
/// @throws InvalidArgument if the network has no BatchNorm, or the images do not fit it
void refit_batch_norm(Network& network, const ImageSet& images, Index batch,
                      const ProgressCallback& progress = {});

}  // namespace xbar::nn
