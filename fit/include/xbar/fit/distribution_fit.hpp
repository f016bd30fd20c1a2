#pragma once

/// From measured distributions of the step to a device of model `table`.

#include <filesystem>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

/// What a pulse of one direction does: at each conductance the probabilities of changes up to a
/// value.
struct StepDistribution {
  std::string name;                         ///< of the files, for messages
  std::vector<double> conductance_siemens;  ///< n, equally spaced over the range
  std::vector<double> change_siemens;       ///< m, rising
  Matrix cumulative;                        ///< n x m
};

/// Reads the three parts, .npy, or .csv or .txt of numbers.
/// @throws IoError or InvalidArgument, naming the file, what was expected and what was found
[[nodiscard]] StepDistribution read_step_distribution(const std::filesystem::path& conductance,
                                                      const std::filesystem::path& change,
                                                      const std::filesystem::path& cumulative);

/// The distribution at one conductance, siemens.
struct StepBand {
  bool up = true;
  double conductance_siemens = 0;
  double mean_siemens = 0;  ///< change
  double low_siemens = 0;   ///< quantiles of 10 and 90 %
  double high_siemens = 0;
  double model_siemens = 0;  ///< mean change of the nearest parametric model
};

/// A parametric model whose mean steps are nearest to those of the table.
struct NearestModel {
  std::string name;
  std::vector<Estimate> parameters;  ///< without intervals: nothing is known of the measurement
  double rms = 0;  ///< its steps less the mean ones, root mean square, share of that of the means
};

struct DistributionFit {
  device::PulseDevice device;         ///< with the table, thinned
  std::vector<NearestModel> nearest;  ///< simplest first
  std::size_t best = 0;               ///< the one with the lowest rms
  std::vector<StepBand> bands;        ///< a row of the files each
  Index rows = 0;                     ///< of the thinned tables, the larger one
  Index columns = 0;
  /// Largest difference between a probability of the files and the one that the thinned table
  /// gives.
  double thinning_error = 0;
};

/// Leaves out rows and columns of the tables while no probability changes by more than
/// `tolerance`, and fits the parametric models' steps to the tables' means by least squares.
/// @throws InvalidArgument for distributions that model `table` does not take (device/step_table)
[[nodiscard]] DistributionFit fit_distributions(const StepDistribution& up,
                                                const StepDistribution& down, double tolerance);

}  // namespace xbar::fit
