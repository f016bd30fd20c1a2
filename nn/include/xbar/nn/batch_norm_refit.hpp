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

/// Sets them so that on these images every channel behind a BatchNorm has the mean and variance
/// that it has in another network, of the same layers, with its running statistics as they are:
///   var + epsilon = (var' + epsilon) v / v',  mean = m - (m' - mean') sqrt((var + epsilon) /
///   (var' + epsilon)),
/// m and v being what refit_batch_norm finds, mean and var the running statistics, dashes the other
/// network's. A network that computes the same as the other stays as it is, which refit_batch_norm
/// does not give: training images without augmentation have other statistics than those with.
/// @throws InvalidArgument as above, or if the other network has other layers
void match_batch_norm(Network& network, Network& other, const ImageSet& images, Index batch,
                      const ProgressCallback& progress = {});

}  // namespace xbar::nn
