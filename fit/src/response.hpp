#pragma once

/// Readings against a pulse model: what the model says of the next reading, and how far off it was.

#include <span>
#include <vector>

#include <xbar/device/pulse_model.hpp>
#include <xbar/fit/pulse_data.hpp>

namespace xbar::fit {

/// A curve in the units of the fit, y = (G - lowest reading) / (highest - lowest).
struct Response {
  std::vector<bool> up;
  std::vector<double> y;     ///< after each pulse; NaN: not read
  std::vector<bool> masked;  ///< readings that the fit does not see; same length
};

/// What a cell makes of the model: z = (y - lower) / (upper - lower) is its position, its steps are
/// up times the model's upwards and down times the model's downwards.
struct CellScale {
  double up = 1;
  double down = 1;
  double lower = 0;
  double upper = 1;
};

/// Where a reading leaves the estimate of the state, and what it was against the prediction.
struct Innovation {
  double residual = 0;   ///< reading - prediction; NaN where nothing was read
  double step = 0;       ///< the predicted step of the pulse, >= 0, share of upper - lower
  double predicted = 0;  ///< y
};

/// Predicts reading after reading. With y the estimate of the state, one pulse later
///   prediction  y' = y +/- step(z) (upper - lower),  reading r,  residual e = r - y',
///   estimate    y = y' + gain e
/// gain 0 is the curve that the model draws by itself, gain 1 predicts each step from the reading
/// before it. A masked reading has a residual and leaves the estimate as it is. These are the
/// innovations of a Kalman filter with constant gain [Ljung1999].
/// @param start  y after the first pulse, whichever direction it had
[[nodiscard]] std::vector<Innovation> innovations(const device::PulseModel& model,
                                                  const CellScale& cell, double gain, double start,
                                                  const Response& response);

}  // namespace xbar::fit
