#pragma once

/// Axes of plots: what is on them, and where the ticks go.

#include <optional>
#include <string>
#include <vector>

namespace xbar::report {

/// How values become positions. On the logarithmic scales values <= 0 have no place and are left
/// out of the plot.
enum class Scale {
  linear,
  log,   ///< ticks at decades (or 1-2-5 where few decades are seen)
  log2,  ///< ticks at powers of two: array sizes, bits
};

/// One axis. A unit that takes SI prefixes ("V", "A", "s", "ohm", ...: see format_si) is shown
/// with the prefix that suits the range: give the data in SI units. "%" expects percent.
struct Axis {
  std::string label = {};  ///< what is measured, e.g. "Line resistance"
  std::string unit = {};   ///< empty: a pure number
  Scale scale = Scale::linear;
  std::optional<double> min = {};  ///< empty: from the data; on log scales > 0
  std::optional<double> max = {};  ///< empty: from the data; > min
  std::vector<double> ticks = {};  ///< empty: chosen; those outside the range are left out
};

/// Multiples of 1, 2 or 5 times a power of ten inside [lo, hi], ascending, about `target` (>= 1) of
/// them and each the double nearest to its decimal value. One value if lo == hi.
/// @throws InvalidArgument unless lo <= hi, both finite, and target >= 1.
[[nodiscard]] std::vector<double> linear_ticks(double lo, double hi, int target);

/// Powers of ten inside [lo, hi]; every k-th if there are more than `target`; with fewer than three
/// 1-2-5 times powers of ten, and below that linear_ticks.
/// @throws InvalidArgument unless 0 < lo <= hi, both finite, and target >= 1.
[[nodiscard]] std::vector<double> log_ticks(double lo, double hi, int target);

/// Powers of two inside [lo, hi], every k-th if there are more than `target`; fewer than two: as
/// log_ticks.
/// @throws InvalidArgument as log_ticks.
[[nodiscard]] std::vector<double> log2_ticks(double lo, double hi, int target);

}  // namespace xbar::report
