#pragma once

/// From single pulses of varied voltage to the voltage law of a device.

#include <optional>
#include <string>
#include <vector>

#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/amplitude_data.hpp>
#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

struct AmplitudeFitOptions {
  int folds = 5;       ///< of the cross-validation, 2 to 20
  double up_volt = 0;  ///< nominal voltage V of up pulses; 0: the largest amplitude
  double down_volt = 0;
};

/// Pulses of one amplitude and direction, taken together.
struct AmplitudeLevel {
  bool up = true;
  double volt = 0;
  std::size_t pulses = 0;
  double change_siemens = 0;    ///< mean of after less before
  double model_siemens = 0;     ///< the same of the chosen law
  double residual_siemens = 0;  ///< root mean square of measured less predicted
};

/// One law against the pulses. Errors are shares of the range of the readings.
struct LawFit {
  std::string name;                  ///< none, power or threshold
  device::VoltageLaw law;            ///< exponent 0: none
  std::vector<Estimate> parameters;  ///< of the law, then of each direction
  double rms = 0;
  double validated_rms = 0;
  double excess = 0;  ///< as in ModelFit
  double excess_error = 0;
};

/// The cell that the law was fitted with, where both directions were measured: soft bounds, with
/// what one pulse of the nominal voltage makes of it.
struct AmplitudeCell {
  double g_min_siemens = 0;
  double g_max_siemens = 0;
  double up_step = 0;
  double down_step = 0;
  double noise = 0;  ///< RMS residual of a pulse, share of g_max - g_min
};

struct AmplitudeFit {
  std::vector<LawFit> laws;  ///< simplest first
  std::size_t best = 0;
  double up_volt = 0;  ///< the nominal voltages; 0: no pulses of the direction
  double down_volt = 0;
  /// The law of each direction by itself; empty where only one was measured.
  std::vector<Estimate> up_alone;
  std::vector<Estimate> down_alone;
  double alone_rms = 0;
  std::optional<AmplitudeCell> cell;  ///< empty also where no two bounds were found
  std::vector<AmplitudeLevel> levels;
  double low_siemens = 0;  ///< the range of the readings
  double high_siemens = 0;
  std::size_t pulses = 0;
  std::size_t devices = 0;
  bool held_out_devices = false;  ///< whole devices were held out, else every folds-th pulse
};

/// A pulse of voltage v counts as f(v) pulses of the nominal voltage V (device::VoltageLaw),
///   f(v) = (max(v/V - threshold, 0) / (1 - threshold))^exponent,
/// and so many pulses take a cell with soft bounds from G to
///   B + (G - B) exp(-r f(v)),
/// with the bound B and the rate r of each direction. Least squares of G after the pulse; the law
/// is common to both directions, as it is in a device file. Compared are no law (f = 1), a power
/// (threshold = 0) and both.
/// @throws InvalidArgument for options out of range, IoError for data with fewer than 20 pulses,
///         with one amplitude only, or whose pulses change nothing
[[nodiscard]] AmplitudeFit fit_amplitudes(const AmplitudeData& data,
                                          const AmplitudeFitOptions& options);

}  // namespace xbar::fit
