#pragma once

/// Flags that say what a network's arrays are made of.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/mapping/technology.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

/// Cells, wires, tiles, converters, and which effects are looked at.
struct TechnologyFlags {
  mapping::Technology technology;  ///< all but on_ohm, which may be a list, and names
  std::vector<double> on_ohm = {20e3, 100e3};

  void add(CLI::App& app);
  /// One for each of on_ohm. @throws InvalidArgument if the list is empty or a field is out of
  /// range
  [[nodiscard]] std::vector<mapping::Technology> all() const;

 private:
  [[nodiscard]] mapping::Technology with(double on) const;

  std::string terminals_ = "keep";
  std::string gain_ = "none";
  std::string layout_ = "differential";
  std::string dac_range_ = "maximum";
  std::string adc_range_ = "full-scale";
  std::string subtract_ = "analog";
  std::string update_ = "linear";
  bool single_write_ = false;
  std::vector<std::string> without_;
  std::vector<std::string> only_;
};

/// The technology as JSON: wires and tiles, and of the rest what differs from the ideal.
[[nodiscard]] Json to_json(const mapping::Technology& technology);

}  // namespace xbar::cli
