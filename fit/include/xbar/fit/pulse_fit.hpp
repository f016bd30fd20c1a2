#pragma once

/// From measured pulses to a device: the model that predicts best, its parameters, its noise.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/estimate.hpp>
#include <xbar/fit/pulse_data.hpp>

namespace xbar::fit {

struct PulseFitOptions {
  std::vector<std::string> models;  ///< that are tried; empty: all that fits know
  int folds = 5;                    ///< of the cross-validation, 2 to 20
  /// Fit to the steps, each predicted from the readings before it: for cells whose pulses are so
  /// noisy that no two curves are alike. Else to the curve that the model draws by itself.
  bool to_steps = false;
  std::uint64_t seed = 1;  ///< which curve comes into which fold
  /// Bounds of the range, siemens; where not given they are estimated, or, with models whose steps
  /// do not show them, the lowest and highest readings.
  std::optional<double> g_min_siemens;
  std::optional<double> g_max_siemens;
  ProgressCallback progress;
};

/// @throws InvalidArgument naming the first field out of range
void check_pulse_fit_options(const PulseFitOptions& options);

/// One model against the readings. Errors are shares of the range of the readings.
struct ModelFit {
  std::string name;
  std::vector<Estimate> parameters;  ///< the estimated ones
  Estimate g_min;                    ///< siemens
  Estimate g_max;
  /// Share of the difference between a reading and its prediction that stays, 0 to 1: near 0 the
  /// readings scatter about one curve, near 1 each pulse goes on from where the last one led.
  double gain = 0;
  double curve_rms = 0;      ///< readings less the curve that the model draws by itself
  double step_rms = 0;       ///< readings less the predictions from all readings before
  double validated_rms = 0;  ///< held-out readings less the curve that goes on without them
  /// Mean square of the held-out errors less that of the best model, and its standard error over
  /// the held-out parts; shares of the range, squared.
  double excess = 0;
  double excess_error = 0;
  bool converged = false;
};

/// What differs from pulse to pulse and from device to device; shares as in device::PulseNoise and
/// device::DeviceSpread.
struct FittedNoise {
  device::PulseNoise pulse;
  /// ln of the likelihood that the noise of a step goes with the step, less that where it does not.
  double step_likelihood = 0;
  device::DeviceSpread spread;
  int devices = 0;  ///< that the spread was found from; fewer than 3: none was
};

struct CurveResidual {
  std::string device;
  std::string cycle;
  std::vector<bool> up;
  std::vector<double> measured;   ///< siemens; NaN: not read
  std::vector<double> curve;      ///< siemens, the chosen model by itself
  std::vector<double> predicted;  ///< siemens, from all readings before
};

struct PulseFit {
  std::vector<ModelFit> models;  ///< simplest first
  std::size_t best = 0;          ///< the simplest within one standard error of the lowest error
  FittedNoise noise;
  device::PulseDevice device;  ///< with the best model
  std::vector<CurveResidual> curves;
  double low_siemens = 0;  ///< the range of the readings
  double high_siemens = 0;
  std::size_t readings = 0;
  bool held_out_curves = false;  ///< whole curves were held out, else blocks of pulses
};

/// Estimates every model's parameters by least squares, compares the models by the error of what a
/// fit has not seen, and takes noise and spread from what the best one leaves (docs/fitting.md).
/// @throws InvalidArgument as check_pulse_fit_options, for an unknown model, and for readings
/// without
///         pulses upwards; NumericalError if a fit finds no step
[[nodiscard]] PulseFit fit_pulses(const PulseData& data, const PulseFitOptions& options);

}  // namespace xbar::fit
