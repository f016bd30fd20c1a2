#pragma once

/// Non-linear least squares of one shape to a set of responses.

#include <vector>

#include <xbar/device/pulse_device.hpp>

#include "response.hpp"
#include "sandwich.hpp"
#include "shapes.hpp"

namespace xbar::fit {

/// Values of a fit: first those of Shape::free, then lower and upper where the shape fits the
/// range, then, of a fit to the steps, the gain.
struct CurveFit {
  std::vector<double> values;
  std::vector<double> starts;  ///< y after the first pulse of each response
  CellScale cell;
  double gain = 0;
  double cost = 0;  ///< sum of the squared innovations that the fit saw
  bool converged = false;
};

/// What is estimated, and how.
struct CurveFitOptions {
  bool fix_range = false;  ///< the bounds stay at `cell`
  CellScale cell;
  double lowest_bound = -0.5;  ///< of the range: where G is 0, if that is nearer
  /// To the steps, each from the readings before it, with the gain that suits; else to the curve
  /// that the model draws by itself, gain 0.
  bool to_steps = false;
  int most_iterations = 50;
};

/// Minimises the sum of squared innovations over the values and the start of each response, by
/// Levenberg-Marquardt within bounds (Ceres Solver [Agarwal2022]).
/// @param from  where to start from: empty for the shape's own starts
/// @throws NumericalError if no step succeeds
[[nodiscard]] CurveFit fit_curves(const Shape& shape, const std::vector<Response>& responses,
                                  const CurveFitOptions& options, const CurveFit* from = nullptr);

/// The gain that makes the innovations of a given curve smallest, 0 to 1.
[[nodiscard]] double best_gain(const Shape& shape, const std::vector<Response>& responses,
                               const CurveFit& fit);

/// Covariance of CurveFit::values, with the starts' share in it; NaN for those that are at a bound
/// or that the readings do not determine.
///   ten responses or more  grouped_meat(): holds whatever the noise
///   fewer, to the steps    independent_meat()
///   fewer, to the curve    M of a random walk of variance q_k at pulse k under readings of
///   variance
///                          r: r J^T J + sum over k of q_k a_k a_k^T, with a_k what a disturbance
///                          at pulse k makes of J^T e, a_k = J_k^T + (dy_k+1/dy_k) a_k+1
/// @param noise  of which q and r are made
[[nodiscard]] Covariance covariance(const Shape& shape, const std::vector<Response>& responses,
                                    const CurveFitOptions& options, const CurveFit& fit,
                                    const device::PulseNoise& noise);

}  // namespace xbar::fit
