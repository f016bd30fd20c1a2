#pragma once

/// Steps of the model neurosim, for cells whose labels differ.

#include <utility>

namespace xbar::device {

/// The step of one pulse at x = 0 and at x = 1, shares of the range.
/// @param nu  neurosim_exponent() of the label
/// @param pulses  that cross the range
[[nodiscard]] std::pair<double, double> neurosim_up_steps(double nu, double pulses);
[[nodiscard]] std::pair<double, double> neurosim_down_steps(double nu, double pulses);

}  // namespace xbar::device
