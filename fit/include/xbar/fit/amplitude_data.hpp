#pragma once

/// Measured single pulses of varied voltage: conductances before and after each.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xbar::fit {

/// One pulse.
struct AmplitudePulse {
  std::size_t device = 0;  ///< index in AmplitudeData::devices
  bool up = true;
  double volt = 0;            ///< amplitude, > 0, with the sign left out
  double second = 0;          ///< 0: not stated
  double before_siemens = 0;  ///< conductance
  double after_siemens = 0;
};

struct AmplitudeData {
  std::string name;  ///< of the files, for messages
  std::vector<std::string> devices;
  std::vector<AmplitudePulse> pulses;

  /// The largest amplitude of a direction; 0: it has no pulses.
  [[nodiscard]] double largest_volt(bool up) const;
  /// Median length of a direction's pulses, second; 0: not stated.
  [[nodiscard]] double median_second(bool up) const;
};

/// What a file does not say itself.
struct AmplitudeLayout {
  /// Names of the columns of a file without heading, in their order; "-" is left out. Empty: the
  /// first row has the names.
  std::vector<std::string> columns;
  std::optional<bool> up;  ///< direction of all pulses, where no column `direction` says
};

/// Columns: device, direction, pulse_volt, pulse_second (optional), before_siemens or before_ohm,
/// after_siemens or after_ohm. Without a column of what was before, the rows of a device are a
/// series: a pulse starts where the one in the row before led, and a series begins, with a pulse
/// that only says where, where the device is another one or the size of the voltage falls. Pulses
/// of 0 V say so too and are no pulses.
/// @param name  stands for the file in messages
/// @throws IoError naming file and line, what was expected and what was found
[[nodiscard]] AmplitudeData parse_amplitude_data(std::string_view text, const std::string& name,
                                                 const AmplitudeLayout& layout);
[[nodiscard]] AmplitudeData read_amplitude_data(const std::filesystem::path& path,
                                                const AmplitudeLayout& layout);

/// Several files as one; devices of one name are one device.
[[nodiscard]] AmplitudeData join(const std::vector<AmplitudeData>& parts);

}  // namespace xbar::fit
