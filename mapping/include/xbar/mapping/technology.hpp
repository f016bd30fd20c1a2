#pragma once

/// What a layer is built from: cells, wires, tiles.

#include <string_view>

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/device/linear_update.hpp>

namespace xbar::mapping {

/// A digital factor behind the sense amplifiers that takes out the gain part of the wire loss,
/// fitted by least squares, <W, W_eff>/<W_eff, W_eff>, whenever the effective weights are measured
/// anew.
enum class Gain {
  none,    ///< raw currents
  tile,    ///< one factor a tile
  column,  ///< one factor a bitline of a tile
};

/// @throws InvalidArgument for a name that is not none, tile or column.
[[nodiscard]] Gain parse_gain(std::string_view name);
[[nodiscard]] std::string_view gain_name(Gain gain);

/// Cells, wires and tile size of the arrays. Weights sit on differential pairs of separate arrays
/// (TxSim's mapping [Roy2021]): w = (G_plus - G_minus) / (g_max - g_min) * weight_range.
struct Technology {
  double on_ohm = 20e3;      ///< resistance of a fully switched-on cell, ohm
  double on_off_ratio = 10;  ///< R_off / R_on
  WireResistance wires = {
      .source_ohm = 500, .sink_ohm = 100, .wordline_ohm = 2.5, .bitline_ohm = 2.5};
  Index tile_rows = 64;                   ///< wordlines of a tile
  Index tile_columns = 64;                ///< bitlines of a tile
  Terminals terminals = Terminals::keep;  ///< in the transposed (backward) read
  Gain gain = Gain::none;
  device::LinearUpdate update{};  ///< how cells follow a write

  [[nodiscard]] device::ConductanceRange range() const {
    return device::conductance_range(on_ohm, on_off_ratio);
  }
};

/// @throws InvalidArgument naming the first field out of range.
void check_technology(const Technology& technology);

}  // namespace xbar::mapping
