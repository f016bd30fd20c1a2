#pragma once

/// Steps along x(p) = (1 - exp(-nu p)) / (1 - exp(-nu)), the curve of the models neurosim and
/// asymmetric: up by a p that rises by d from where the cell is,
///   x(p + d) - x = (1/(1 - exp(-nu)) - x) (1 - exp(-nu d)),
/// a straight line of x. nu may have either sign; the curve of -nu is that of nu mirrored.

#include <cmath>
#include <utility>

namespace xbar::device {

/// The step up at x = 0 and at x = 1, none a difference of large numbers.
[[nodiscard]] inline std::pair<double, double> exponential_curve_steps(double nu, double d) {
  if (nu < 0) {
    // exp(|nu| p): by the mirror image, down along the curve of |nu| from 1 - x = 1 and 0, where a
    // step down is (1/(1 - exp(-|nu|)) - x) (exp(|nu| d) - 1).
    const double grown = std::expm1(-nu * d);
    const double gone = -std::expm1(nu);
    return {std::exp(nu) / gone * grown, grown / gone};
  }
  if (nu < 1e-300) return {d, d};
  const double gone = -std::expm1(-nu);
  const double moved = -std::expm1(-nu * d);
  return {moved / gone, std::exp(-nu) / gone * moved};
}

}  // namespace xbar::device
