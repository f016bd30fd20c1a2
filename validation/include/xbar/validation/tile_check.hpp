#pragma once

/// The certificate: a network's own tiles, surrogate against exact solver.

#include <cstdint>
#include <vector>

#include <xbar/nn/network.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::validation {

struct TileCheckOptions {
  Index tiles = 16;   ///< arrays to check, drawn at random over all layers and both polarities
  Index inputs = 32;  ///< random sparse input vectors a tile
  std::uint64_t seed = 1;
  std::vector<surrogate::ModelKind> models = {
      surrogate::ModelKind::ideal, surrogate::ModelKind::ladder,
      surrogate::ModelKind::operating_point, surrogate::ModelKind::sneak_ladder};
};

struct TileCheck {
  Index tiles = 0;                           ///< arrays checked
  Index total = 0;                           ///< arrays of the network
  std::vector<surrogate::Measurement> rows;  ///< one a model, over tiles and inputs
};

/// Measures the surrogates on arrays of a network on crossbars (nn::map_to_crossbars).
/// @throws InvalidArgument if no layer is on crossbars
[[nodiscard]] TileCheck check_tiles(nn::Network& network, const TileCheckOptions& options);

}  // namespace xbar::validation
