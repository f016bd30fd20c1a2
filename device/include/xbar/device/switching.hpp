#pragma once

/// What one asks a switching cell: how fast, and from which voltage on.

#include <optional>

#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/integrate.hpp>

namespace xbar::device {

struct SwitchingOptions {
  double from_fraction = 0;  ///< where it starts on its way from off (0) to on (1)
  double to_fraction = 0.5;  ///< where it counts as switched
  double limit_second = 1;   ///< how long it is given, > 0
  double tolerance = 1e-6;
};

/// Time at constant voltage until the state comes to `to_fraction`, second; nothing if it does not
/// within the limit.
/// @throws InvalidArgument as integrate(); NumericalError likewise
[[nodiscard]] std::optional<double> switching_time(const DynamicCell& cell, double volt,
                                                   const SwitchingOptions& options = {});

/// Voltages at which a slow ramp takes the state past the middle.
struct Thresholds {
  std::optional<double> set_volt;    ///< from off; nothing if not up to the limit
  std::optional<double> reset_volt;  ///< from on
};

/// Ramps from 0 to +-limit_volt at `volt_per_second`, from off for SET and from on for RESET.
/// @throws InvalidArgument unless both are finite and > 0; NumericalError as integrate()
[[nodiscard]] Thresholds quasi_static_thresholds(const DynamicCell& cell, double volt_per_second,
                                                 double limit_volt, double tolerance = 1e-6);

}  // namespace xbar::device
