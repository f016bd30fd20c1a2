#pragma once

/// What a layer is built from: cells, wires, tiles.

#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include <xbar/core/matrix.hpp>
#include <xbar/core/read.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/device/drift.hpp>
#include <xbar/device/faults.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/device/update.hpp>
#include <xbar/mapping/converters.hpp>
#include <xbar/mapping/weight_encoder.hpp>
#include <xbar/surrogate/write_path.hpp>

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

/// Cells, wires, tile size and converters of the arrays.
struct Technology {
  double on_ohm = 20e3;      ///< resistance of a fully switched-on cell, ohm
  double on_off_ratio = 10;  ///< R_off / R_on
  WireResistance wires = {
      .source_ohm = 500, .sink_ohm = 100, .wordline_ohm = 2.5, .bitline_ohm = 2.5};
  Index tile_rows = 64;                   ///< wordlines of a tile
  Index tile_columns = 64;                ///< bitlines of a tile
  Terminals terminals = Terminals::keep;  ///< in the transposed (backward) read
  Gain gain = Gain::none;
  Layout layout = Layout::differential;  ///< where a weight's sign goes
  WeightBits bits{};                     ///< of a weight and of a cell
  Converters converters{};               ///< between numbers and voltages, currents and numbers
  device::UpdateModel update{};          ///< how cells follow a write, without a `device`
  /// What is written by pulses; its g_min and g_max are those of on_ohm and on_off_ratio. Two-way
  /// devices take Layout::reference or offset, one-way ones differential or interleaved.
  std::shared_ptr<const device::PulseDevice> device{};
  /// What reaches the cells of an update's pulses: as a rule all of it; else what the wires leave
  /// of it in this scheme, half-selected cells being disturbed too. Trains take WriteScheme::half.
  std::optional<surrogate::WriteScheme> write_scheme{};
  bool zero_shift = false;  ///< Layout::reference: whether the cell that is subtracted holds the
                            ///< symmetry point of the trained one
  bool verify = true;       ///< programming (not updating) reaches the targets exactly
  double device_variation = 0;  ///< fill_device_variation: deviation of ln G from cell to cell
  device::CellFaults faults{};  ///< shares of cells that cannot be written
  device::Drift drift{};        ///< of the conductances since they were programmed
  double read_noise = 0;  ///< fill_read_noise: deviation of G from pass to pass; the inputs of
                          ///< a batch are read together

  /// Outputs that one tile has room for.
  [[nodiscard]] Index outputs_per_tile() const;
  [[nodiscard]] device::ConductanceRange range() const {
    return device::conductance_range(on_ohm, on_off_ratio);
  }
};

/// What spoils the products, by the name it is switched off under.
enum class Effect {
  wires,         ///< "wires": source, sink and line resistance
  levels,        ///< "levels": bits of weights and cells
  dac,           ///< "dac": bits of the inputs
  adc,           ///< "adc": bits of the outputs
  nonlinearity,  ///< "nonlinearity" of the writes
  write_noise,   ///< "write-noise"; of programming without verify too
  variation,     ///< "variation" from device to device
  faults,        ///< "faults": stuck and broken cells
  drift,         ///< "drift"
  read_noise,    ///< "read-noise"
  write_wires,   ///< "write-wires": what the wires take of write pulses, and half-selection
};

inline constexpr std::array effects = {
    Effect::wires,        Effect::levels,      Effect::dac,        Effect::adc,
    Effect::nonlinearity, Effect::write_noise, Effect::variation,  Effect::faults,
    Effect::drift,        Effect::read_noise,  Effect::write_wires};

/// @throws InvalidArgument for a name that is none of those above.
[[nodiscard]] Effect parse_effect(std::string_view name);
[[nodiscard]] std::string_view effect_name(Effect effect);

/// The technology as it would be without the effect; the others as they are.
[[nodiscard]] Technology without(Technology technology, Effect effect);

/// @throws InvalidArgument naming the first field out of range.
void check_technology(const Technology& technology);

}  // namespace xbar::mapping
