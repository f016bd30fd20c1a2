#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/neurosim_label.hpp>

namespace xbar::device {
namespace {

constexpr double distance_of_one = 0.07 * std::numbers::sqrt2;

}  // namespace

double neurosim_label(double nu) {
  const double size = std::abs(nu);
  // x - p is nu p (1 - p) / 2 there but for a share of nu / 3 or less.
  if (size < 1e-8) return nu / (8 * distance_of_one);
  // The slope of x is 1 where exp(-nu p) = (1 - exp(-nu)) / nu. There is no other such place.
  const double gone = -std::expm1(-size);
  const double p = -std::log(gone / size) / size;
  const double x = -std::expm1(-size * p) / gone;
  return std::copysign((x - p) / distance_of_one, nu);
}

double neurosim_exponent(double label) {
  if (!(std::abs(label) <= largest_neurosim_label)) {
    throw InvalidArgument(fmt::format("non-linearity label: expected {} to {}, got {}",
                                      -largest_neurosim_label, largest_neurosim_label, label));
  }
  double low = 0;
  double high = 64;  // of label 9.3
  for (int k = 0; k < 60 && high - low > 1e-13 * high; ++k) {
    const double middle = (low + high) / 2;
    (neurosim_label(middle) < std::abs(label) ? low : high) = middle;
  }
  return std::copysign((low + high) / 2, label);
}

}  // namespace xbar::device
