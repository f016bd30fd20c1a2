#pragma once

/// Flags that say what a network's arrays are made of.

#include <memory>
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
  /// Those that go before what a device's file says where they are given, for
  /// Command::acts_when_given.
  [[nodiscard]] std::vector<CLI::Option*> acting_when_given() const;
  /// One for each of on_ohm, or for the device's own range. @throws InvalidArgument if the list is
  /// empty or a field is out of range; IoError for a device file that cannot be read
  [[nodiscard]] std::vector<mapping::Technology> all();

 private:
  [[nodiscard]] mapping::Technology with(double on) const;
  // What the device's file says, where no flag says otherwise.
  void take_device(mapping::Technology& target) const;

  CLI::Option* on_ohm_option_ = nullptr;
  CLI::Option* on_off_ratio_option_ = nullptr;
  std::vector<CLI::Option*> fault_options_;
  std::vector<CLI::Option*> drift_options_;
  CLI::Option* read_noise_option_ = nullptr;
  CLI::Option* voltage_exponent_ = nullptr;
  CLI::Option* voltage_threshold_ = nullptr;
  std::vector<CLI::Option*> write_options_;  // of cells that are not written by pulses
  std::shared_ptr<const device::PulseDevice> pulse_device_;

  std::string terminals_ = "keep";
  std::string gain_ = "none";
  std::string layout_ = "auto";
  std::string device_;
  std::string write_scheme_ = "ideal";
  device::VoltageLaw voltage_;
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
