#pragma once

/// Second moments of the signals at a network's layers.

#include <cstdint>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/mapping/remap/optimal.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// For every weighted layer C = E[x x^T] and M = E[g g^T], over images and positions: x what one
/// product takes, g = d(z^T f)/dy at its output, f being the network's output less its mean over
/// the classes, which no class gains by, and z random signs, so that M is the squared Jacobian of f
/// whatever the labels [Hutchinson1990]. Of a layer with many positions some are drawn.
/// @param images  calibration images, never the test set; the first `count` are used
/// @param seed    of z and of the positions
/// @throws InvalidArgument if there are none
[[nodiscard]] std::vector<mapping::SignalMoments> signal_moments(
    Network& network, const ImageSet& images, Index count, std::uint64_t seed,
    const ProgressCallback& progress = {});

}  // namespace xbar::nn
