#pragma once

/// From full SETs and RESETs in turn to a device of two states.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

/// Conductances of cells that were switched off and on again and again.
struct CyclingData {
  std::string name;  ///< of the file, for messages
  std::vector<std::string> cells;
  Matrix off_siemens;  ///< after each RESET, cells x cycles
  Matrix on_siemens;   ///< after each SET, cells x cycles
};

/// Reads a row a cell: its name, then ohm after RESET and ohm after SET in turn; as many in every
/// row. One heading is skipped.
/// @throws IoError naming file and line, what was expected and what was found
[[nodiscard]] CyclingData parse_cycling_data(std::string_view text, const std::string& name);
[[nodiscard]] CyclingData read_cycling_data(const std::filesystem::path& path);

/// One of the two states, siemens.
struct CyclingState {
  Estimate mean;              ///< of the cells' means; the interval is from cell to cell
  double cell_sigma = 0;      ///< from cell to cell, without what the cycles add
  double cycle_sigma = 0;     ///< from cycle to cycle of one cell, root mean square
  double low_siemens = 0;     ///< 10 % of all readings are lower
  double high_siemens = 0;    ///< 10 % are higher
  std::vector<double> cells;  ///< each cell's mean
};

struct CyclingFit {
  CyclingState off;
  CyclingState on;
  std::size_t cycles = 0;
  /// Share of the readings on the wrong side of the middle between the two means.
  double failures = 0;
  device::PulseDevice device;
};

/// The device: a step of the whole range in either direction, the range between the means, the
/// spread from cell to cell as that of the bounds, and as write noise the root mean square of the
/// two states' variation from cycle to cycle, since a device file has one write noise for all
/// states.
/// @throws IoError if the cells do not conduct more when on than when off
[[nodiscard]] CyclingFit fit_cycling(const CyclingData& data);

}  // namespace xbar::fit
