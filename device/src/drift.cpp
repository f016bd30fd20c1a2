#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/device/drift.hpp>

#include "line_kernels.hpp"

namespace xbar::device {

void check_drift(const Drift& drift) {
  const auto check_exponent = [](const char* name, double value) {
    if (!(value >= 0) || !(value <= 1)) {
      throw InvalidArgument(fmt::format("{}: expected 0 to 1, got {}", name, value));
    }
  };
  check_exponent("drift-exponent", drift.exponent);
  check_exponent("drift-exponent-deviation", drift.exponent_deviation);
  if (!(drift.reference_s > 0) || !std::isfinite(drift.reference_s)) {
    throw InvalidArgument(
        fmt::format("drift-reference-s: expected a finite time > 0 s, got {}", drift.reference_s));
  }
  if (!(drift.time_s >= drift.reference_s) || !std::isfinite(drift.time_s)) {
    throw InvalidArgument(fmt::format(
        "drift-time-s: expected a finite time of at least drift-reference-s, {} s, got {}",
        drift.reference_s, drift.time_s));
  }
}

void fill_drift(const Drift& drift, const RandomStream& stream, std::uint64_t first_index,
                std::span<float> factor) {
  if (!drift.any()) {
    std::fill(factor.begin(), factor.end(), 1.0F);
    return;
  }
  const double logarithm = std::log(drift.time_s / drift.reference_s);
  if (drift.exponent_deviation == 0) {
    std::fill(factor.begin(), factor.end(),
              static_cast<float>(std::exp(-drift.exponent * logarithm)));
    return;
  }
  fill_normal(stream, first_index, factor);
  const auto mean = static_cast<float>(drift.exponent);
  const auto deviation = static_cast<float>(drift.exponent_deviation);
  for (float& value : factor) value = std::max(mean + deviation * value, 0.0F);
  XBAR_DISPATCH(xbar::device, exponentials)
  (static_cast<long>(factor.size()), static_cast<float>(-logarithm), factor.data());
}

}  // namespace xbar::device
