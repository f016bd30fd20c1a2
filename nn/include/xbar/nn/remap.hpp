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
  std::uint64_t seed = 1;          ///< of optimal: signal_moments
};

/// What became of one layer.
struct LayerRemap {
  std::string layer;
  mapping::ArrayOrder order;
  std::vector<double> sensitivity;  ///< of the columns, in the ideal network
};

struct RemapReport {
  std::vector<LayerRemap> layers;
  int passes = 0;  ///< of drs: those that helped
  double seconds = 0;
};

/// Puts every layer of a network on arrays into an order of its own, by training images alone:
///   none     as trained;
///   srs      once, by the sensitivities of the ideal network: columns nearest the drivers, rows
///            nearest the sense amplifiers (order_by_sensitivity);
///   drs      layer by layer from the input on, by the sensitivities of the network on its arrays
///   as
///            they are by then, again and again until the loss on the calibration images no longer
///            falls; the best pass counts;
///   optimal  by the second moments of the ideal network's signals (signal_moments,
///            optimal_order).
/// srs and drs are our definitions: of X-CHANGR's only the outline is known [Agrawal2019]. The
/// arrays may be any: after drift or with faults the same call re-maps on line.
/// @param ideal      the same weights with ideal arithmetic
/// @param on_arrays  left in the new order
/// @throws InvalidArgument if a layer is not on arrays or the two networks differ in their layers;
///         for no calibration images
RemapReport remap(Network& ideal, Network& on_arrays, const ImageSet& images,
                  const RemapOptions& options, const ProgressCallback& progress = {});

}  // namespace xbar::nn
