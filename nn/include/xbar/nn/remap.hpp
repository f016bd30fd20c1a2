#pragma once

/// Re-mapping a network on arrays: its rows and columns put where the wires hurt least.

#include <cstdint>
#include <string>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/mapping/column_order.hpp>
#include <xbar/mapping/remap/optimal.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>
#include <xbar/nn/sensitivity.hpp>

namespace xbar::nn {

struct RemapOptions {
  mapping::RemapStrategy strategy = mapping::RemapStrategy::none;
  mapping::RemapFreedoms freedoms{};
  SensitivityKind sensitivity = SensitivityKind::taylor;  ///< of srs and drs
  Index calibration_images = 250;  ///< the first of those given, which are never of the test set
  int most_passes = 3;             ///< of drs over the layers
  int most_tries = 40;             ///< of optimal: steps of its descent, taken or not
  std::uint64_t seed = 1;          ///< of optimal: signal_moments
};

/// What became of one layer.
struct LayerRemap {
  std::string layer;
  mapping::ArrayOrder order;
};

struct RemapReport {
  std::vector<LayerRemap> layers;
  int steps = 0;  ///< of drs (passes) and optimal: those that helped
  double seconds = 0;
};

/// Puts every layer of a network on arrays into an order of its own, by training images alone:
///   none     as trained;
///   srs      once, by the sensitivities of the ideal network: columns nearest the drivers, rows
///            nearest the sense amplifiers (order_by_sensitivity);
///   drs      layer by layer from the input on, by the sensitivities of the network on its arrays
///            as they are by then, again and again until the loss on the calibration images no
///            longer falls; the best pass counts;
///   optimal  by linear assignment (optimal_order), or the order found where that is better, then
///            by descent on the error of the network's outputs: exchanges of lines in all layers at
///            once (exchange_lines) that lower
///              E + sum over layers of <dE/dW, D> + curvature / 2 tr(M D C D^T),
///            D what they change of the layer's effective weights, C and M the second moments of
///            its signals (signal_moments), E = mean over the images of |s f - f'|^2 / 2, f and f'
///            the outputs on arrays and ideal less their means over the classes, s the factor that
///            makes it least. A step counts if E
///            itself falls; the curvature follows from how much of what was promised came true
///            [Madsen2004].
/// srs and drs are our definitions: of X-CHANGR's only the outline is known [Agrawal2019]. The
/// arrays may be any: after drift or with faults the same call re-maps on line.
/// @param ideal      the same weights with ideal arithmetic
/// @param on_arrays  left in the new order
/// @throws InvalidArgument if a layer is not on arrays or the two networks differ in their layers;
///         for no calibration images
RemapReport remap(Network& ideal, Network& on_arrays, const ImageSet& images,
                  const RemapOptions& options, const ProgressCallback& progress = {});

}  // namespace xbar::nn
