#pragma once

/// What differs from pulse to pulse and from device to device, from what a fit leaves over.

#include <string>
#include <vector>

#include <xbar/fit/pulse_fit.hpp>

#include "curve_fit.hpp"

namespace xbar::fit {

/// The noise of pulses and of readings. With innovations of variance S, a constant gain K is that
/// of a random walk of variance K^2 S a pulse under readings of variance (1 - K) S. Whether the
/// walk's steps go with the cell's own is the better likelihood of
///   S_k = S   and   S_k = S ((1 - K) + K step_k^2 / mean(step^2))
[[nodiscard]] FittedNoise pulse_noise(const Shape& shape, const std::vector<Response>& responses,
                                      const CurveFit& fit, double gain);

/// Adds the spread: each device gets the factor of its steps, the balance of up and down and, where
/// the shape fits them, bounds of its own; the variance over devices less the mean squared standard
/// error is the spread's. Fewer than 3 devices have none.
/// @param devices  of each response
void add_spread(const Shape& shape, const std::vector<Response>& responses,
                const std::vector<std::string>& devices, const CurveFitOptions& options,
                const CurveFit& fit, FittedNoise& noise);

}  // namespace xbar::fit
