#pragma once

/// The conductances a cell can take.

namespace xbar::device {

/// Limits of a cell's conductance, siemens: g_max = 1/R_on, g_min = g_max / (on/off ratio).
struct ConductanceRange {
  double g_min = 0;
  double g_max = 0;

  [[nodiscard]] double width() const { return g_max - g_min; }
};

/// @param on_ohm  resistance of a fully switched-on cell, ohm, > 0 and finite
/// @param on_off_ratio  R_off / R_on, > 1 and finite
/// @throws InvalidArgument naming the argument
[[nodiscard]] ConductanceRange conductance_range(double on_ohm, double on_off_ratio);

}  // namespace xbar::device
