#pragma once

/// An axis with its range, ticks and captions settled; what the plots draw from.

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include <xbar/report/axis.hpp>

namespace xbar::report {

/// Smallest and largest value seen so far; empty at first.
struct Extent {
  double lo = std::numeric_limits<double>::infinity();
  double hi = -std::numeric_limits<double>::infinity();

  void add(double value) {
    lo = std::min(lo, value);
    hi = std::max(hi, value);
  }
  [[nodiscard]] bool empty() const { return lo > hi; }
};

/// Whether `value` has a place on an axis of this scale.
bool drawable(double value, Scale scale);

struct Tick {
  double value = 0;
  std::string label;
  bool major = true;  ///< a power of the base on log scales; kept first where labels collide
};

struct AxisRange {
  double lo = 0;
  double hi = 1;
  Scale scale = Scale::linear;
  std::vector<Tick> ticks;
  std::vector<double> minor;  ///< faint lines between the ticks of a log axis
  std::string caption;        ///< "Line resistance (kΩ)"
  std::string unit;           ///< as given; "" if none
  std::string shown_unit;     ///< with prefix or power of ten: what the tick labels count
  double unit_size = 1;       ///< one shown_unit in `unit`: 1e-3 for mV

  /// 0 at lo, 1 at hi; outside [0, 1] for values beyond.
  [[nodiscard]] double fraction(double value) const;
  /// A value for a tooltip or a label: with its unit.
  [[nodiscard]] std::string with_unit(double value) const;
};

/// How much of the range the data fills.
struct AxisFit {
  int target_ticks = 5;
  double padding = 0.05;      ///< of the range, added on each side chosen from the data
  bool contain_zero = false;  ///< linear: always reach 0 (bars)
};

/// @throws InvalidArgument if min/max are not finite, not ascending, or not positive on a log
///         scale; `name` ("x axis") starts the message.
AxisRange settle_axis(const Axis& axis, Extent data, const AxisFit& fit, const char* name);

/// Clears the labels (not the ticks) that would overlap when laid along `length_px` horizontally.
void thin_labels(AxisRange& range, double length_px, double font_px);

}  // namespace xbar::report
