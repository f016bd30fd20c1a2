#pragma once

/// Flags that say what a network's arrays are made of.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/mapping/technology.hpp>
#include <xbar/nn/crossbar_mapping.hpp>

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
  std::string adc_range_ = "calibrated";
  std::string subtract_ = "analog";
  std::string update_ = "linear";
  bool single_write_ = false;
  std::vector<std::string> without_;
  std::vector<std::string> only_;
};

/// --weight-scale, --weight-percentile, --headroom: the largest weight that cells hold.
struct WeightScaleFlags {
  double percentile = 99.9;
  double headroom = 8;

  void add(CLI::App& app);
  /// `standard` unless --weight-scale is given. @throws InvalidArgument
  [[nodiscard]] nn::WeightScale scale(nn::WeightScale standard) const;

 private:
  std::string scale_ = "auto";
};

/// The technology as JSON: wires and tiles, and of the rest what differs from the ideal.
[[nodiscard]] Json to_json(const mapping::Technology& technology);

}  // namespace xbar::cli
