#pragma once

/// A memristive device as its pulses see it: what a device file says.

#include <map>
#include <memory>
#include <string>

#include <xbar/device/conductance_range.hpp>
#include <xbar/device/drift.hpp>
#include <xbar/device/faults.hpp>
#include <xbar/device/pulse_models.hpp>

namespace xbar::device {

/// How steps and ranges differ from cell to cell (d2d), fixed for the life of an array. Draws are
/// normal and cut at 5 standard deviations, and where a step would fall below a hundredth of the
/// mean one, a range below a hundredth of g_max - g_min, or a conductance below 0.
struct DeviceSpread {
  double step = 0;          ///< sigma of a cell's step, both directions, relative to the mean step
  double up_down = 0;       ///< sigma of b: up steps times 1 + b, down steps times 1 - b
  double lower = 0;         ///< sigma of the lower bound, share of the range g_max - g_min
  double upper = 0;         ///< sigma of the upper bound, share of the range
  double nonlinearity = 0;  ///< sigma of the non-linearity label, absolute; neurosim only
};

/// What differs from pulse to pulse (c2c).
struct PulseNoise {
  double step = 0;   ///< sigma of one pulse's step, relative to the cell's mean step there
  double range = 0;  ///< sigma of what one pulse adds besides, share of the cell's range
  double write =
      0;  ///< sigma of the conductance seen about the state that pulses act on, drawn anew
          ///< when a pulse arrives, share of the cell's range (aihwkit's write noise)
};

/// Cells that fail after many pulses: cell k stops moving after `pulses` exp(deviation N(0,1)).
struct Endurance {
  double pulses = 0;  ///< median; 0: for ever
  double deviation = 0;
};

/// The pulses themselves.
struct PulseShape {
  double volt = 0;  ///< amplitude, > 0; 0: not stated
  double second = 0;
};

/// How a step depends on the voltage v that reaches the cell, relative to the nominal one V:
///   threshold power law  factor = (max(v - threshold V, 0) / (V - threshold V))^exponent
struct VoltageLaw {
  double exponent = 0;   ///< > 0; 0: not stated
  double threshold = 0;  ///< share of V, in [0, 1)

  /// @param share  v / V
  [[nodiscard]] double factor(double share) const;
};

/// A device.
struct PulseDevice {
  std::string name;         ///< of the file
  std::string description;  ///< one line
  std::string source;       ///< where its numbers come from
  double g_min_siemens = 0;
  double g_max_siemens = 0;
  std::shared_ptr<const PulseModel> model;
  std::map<std::string, double> parameters;  ///< the model's
  PulseCurves curves;                        ///< the model's
  bool one_way = false;                      ///< pulses go up only; down is a reset to g_min (PCM)
  DeviceSpread spread;
  PulseNoise noise;
  PulseShape up;
  PulseShape down;
  VoltageLaw voltage;
  CellFaults faults;
  Drift drift;
  double read_noise = 0;  ///< fill_read_noise
  Endurance endurance;

  [[nodiscard]] ConductanceRange range() const { return {g_min_siemens, g_max_siemens}; }

  /// Mean of the steps up and down in the middle of the range: what one pulse is worth, share of
  /// the range.
  [[nodiscard]] double typical_step() const;
};

/// The device with constant steps of the typical size, the rest as it is.
[[nodiscard]] PulseDevice without_nonlinearity(const PulseDevice& device);

/// @throws InvalidArgument naming the first field out of range.
void check_pulse_device(const PulseDevice& device);

/// Reads a device file (docs/devices.md), or the preset of that name where there is no such file.
/// Curves and tables that a file names are read from its folder.
/// @throws IoError for what cannot be read, InvalidArgument naming file, key, what was expected and
///         what was found; unknown keys suggest the nearest
[[nodiscard]] PulseDevice read_pulse_device(const std::string& file);

/// The same from text; @param file  for messages and for the folder.
[[nodiscard]] PulseDevice parse_pulse_device(const std::string& text, const std::string& file);

/// As a device file that parse_pulse_device() reads back to the same device.
[[nodiscard]] std::string to_toml(const PulseDevice& device);

}  // namespace xbar::device
