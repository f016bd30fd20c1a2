#pragma once

/// Measured pulse responses: conductances of cells after each of a series of pulses.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace xbar::fit {

/// One series of pulses to one device.
struct PulseCurve {
  std::string device;
  std::string cycle;
  std::vector<bool> up;         ///< the direction of each pulse
  std::vector<double> siemens;  ///< G after each pulse, same length; NaN: not read
};

/// What one or several files hold.
struct PulseData {
  std::string name;  ///< of the files, for messages
  std::vector<PulseCurve> curves;
  double up_volt = 0;  ///< amplitudes and lengths, medians, > 0; 0: not stated
  double down_volt = 0;
  double up_second = 0;
  double down_second = 0;

  /// Number of readings.
  [[nodiscard]] std::size_t readings() const;
  /// Whether a pulse of the direction lies between two readings.
  [[nodiscard]] bool has(bool up) const;
};

/// How a file lays its readings out (docs/fitting.md).
enum class PulseLayout {
  table,    ///< `long`: a reading a row, named columns, SI units in the names
  columns,  ///< pulse volt, read volt, then one column of currents a device; no heading
  ramps,    ///< one column of currents a ramp, padded with blanks; all pulses of one direction
  aihwkit,  ///< two columns without units: an up ramp and a down ramp
};

/// @throws InvalidArgument for a name that is not long, columns, ramps or aihwkit.
[[nodiscard]] PulseLayout parse_pulse_layout(std::string_view name);

/// What a file does not say itself.
struct PulseLayoutOptions {
  PulseLayout layout = PulseLayout::table;
  bool up = true;        ///< ramps: the direction of all pulses
  double read_volt = 0;  ///< ramps: > 0, current over it is the conductance
  /// aihwkit: the conductances, siemens, that its -1 and 1 stand for.
  double low_siemens = 0;
  double high_siemens = 0;
};

/// @param name  stands for the file in messages
/// @throws IoError naming file and line, what was expected and what was found: a column missing or
///         without unit, something that is no finite number, pulses that are not in order, too few
///         readings; InvalidArgument for options that the layout needs and that are not there
[[nodiscard]] PulseData parse_pulse_data(std::string_view text, const std::string& name,
                                         const PulseLayoutOptions& options);

/// The same from a file. @throws as parse_pulse_data, IoError if it cannot be read
[[nodiscard]] PulseData read_pulse_data(const std::filesystem::path& path,
                                        const PulseLayoutOptions& options);

/// Several files as one, in their order; amplitudes are those of the first file that states them.
[[nodiscard]] PulseData join(std::vector<PulseData> parts);

}  // namespace xbar::fit
