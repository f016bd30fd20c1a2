#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/conductance_range.hpp>

namespace xbar::device {

ConductanceRange conductance_range(double on_ohm, double on_off_ratio) {
  if (!(on_ohm > 0) || !std::isfinite(on_ohm)) {
    throw InvalidArgument(
        fmt::format("on-ohm: expected a finite resistance > 0 ohm, got {}", on_ohm));
  }
  if (!(on_off_ratio > 1) || !std::isfinite(on_off_ratio)) {
    throw InvalidArgument(
        fmt::format("on-off-ratio: expected a finite ratio > 1, got {}", on_off_ratio));
  }
  return {1.0 / (on_ohm * on_off_ratio), 1.0 / on_ohm};
}

}  // namespace xbar::device
