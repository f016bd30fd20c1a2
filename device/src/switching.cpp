#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/switching.hpp>

namespace xbar::device {
namespace {

/// The voltage at which a ramp from 0 to `to_volt` takes the state past the middle.
std::optional<double> crossing_volt(const DynamicCell& cell, double to_volt, double duration,
                                    double from_fraction, double tolerance) {
  IntegrateOptions options;
  options.tolerance = tolerance;
  options.stop_at_fraction = 0.5;
  options.times = {0};
  const IntegrateReport report = integrate(cell, Waveform::ramp(0, to_volt, 0, duration),
                                           cell.state_of_fraction(from_fraction), options)
                                     .report;
  if (!report.stopped) return {};
  return to_volt * report.end_second / duration;
}

}  // namespace

std::optional<double> switching_time(const DynamicCell& cell, double volt,
                                     const SwitchingOptions& options) {
  IntegrateOptions integrate_options;
  integrate_options.tolerance = options.tolerance;
  integrate_options.stop_at_fraction = options.to_fraction;
  integrate_options.times = {0};
  const IntegrateReport report =
      integrate(cell, Waveform::dc(volt, options.limit_second),
                cell.state_of_fraction(options.from_fraction), integrate_options)
          .report;
  if (!report.stopped) return {};
  return report.end_second;
}

Thresholds quasi_static_thresholds(const DynamicCell& cell, double volt_per_second,
                                   double limit_volt, double tolerance) {
  if (!(volt_per_second > 0) || !std::isfinite(volt_per_second)) {
    throw InvalidArgument(
        fmt::format("volt_per_second: expected a finite rate > 0, got {}", volt_per_second));
  }
  if (!(limit_volt > 0) || !std::isfinite(limit_volt)) {
    throw InvalidArgument(
        fmt::format("limit_volt: expected a finite voltage > 0, got {}", limit_volt));
  }
  const double duration = limit_volt / volt_per_second;
  const double set = cell.set_sign() * limit_volt;
  return {crossing_volt(cell, set, duration, 0, tolerance),
          crossing_volt(cell, -set, duration, 1, tolerance)};
}

}  // namespace xbar::device
