#pragma once

/// The makers behind make_pulse_model: one file of pulses/ each.

#include <memory>
#include <span>

#include <xbar/device/pulse_models.hpp>

namespace xbar::device {

struct PulseKind {
  PulseModelInfo info;
  /// @param values  of info.parameters, in that order, each within its range
  /// @param curves  of info.curves, those that are required at least
  std::shared_ptr<const PulseModel> (*make)(std::span<const double> values,
                                            const PulseCurves& curves,
                                            const ConductanceRange& range) = nullptr;
};

PulseKind linear_pulses();
PulseKind soft_bounds_pulses();
PulseKind neurosim_pulses();
PulseKind asymmetric_pulses();
PulseKind symmetric_pulses();
PulseKind exponential_pulses();
PulseKind power_pulses();
PulseKind piecewise_pulses();
PulseKind table_pulses();

/// Sizes of steps that are taken: from those of 10^9 states to the whole range.
inline constexpr double smallest_step = 1e-9;
inline constexpr double largest_step = 1;

}  // namespace xbar::device
