#pragma once

/// Plots as self-contained SVG text: for the HTML page (`Page`) or, as they are, for a file.
///
/// Colours are CSS custom properties with built-in fall-backs (--xb-ink, --xb-muted, --xb-grid,
/// --xb-axis, --xb-surface, --xb-s1 .. --xb-s8), so a page restyles all plots at once (dark theme).
/// Series differ in colour, marker and label, never in colour alone. No ids: any number of
/// plots can stand in one document. Data that cannot be drawn (NaN, infinite, not positive on a
/// logarithmic axis, beyond 1e300) is left out; a plot without data says so.

#include <optional>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/report/axis.hpp>

namespace xbar::report {

/// Colours of the series, in the order in which they are handed out. Name one to give a thing
/// the same colour in every plot of a page.
enum class Colour { automatic, blue, orange, green, purple, ochre, sky, red, grey };

/// One line of a LinePlot.
struct Series {
  std::string name = {};
  std::vector<double> x = {};
  std::vector<double> y = {};      ///< as long as x; a NaN leaves a gap in the line
  std::vector<double> lower = {};  ///< error band; empty or as long as x (then `upper` too)
  std::vector<double> upper = {};
  bool dashed = false;
  std::optional<bool> markers = {};  ///< empty: up to 40 points; a legend on top asks for a few
  Colour colour = Colour::automatic;
};

/// A labelled thin line across the plot: a tolerance, an ideal value.
struct Reference {
  double value = 0;
  std::string label = {};
};

/// How the series are named.
enum class Legend {
  automatic,  ///< at the lines' ends if there is room, else on top; none for a single series
  direct,     ///< at the right end of each line
  top,        ///< in rows above the plot
  none,
};

/// y against x.
struct LinePlot {
  std::string title = {};
  Axis x = {};
  Axis y = {};
  std::vector<Series> series = {};
  std::vector<Reference> x_references = {};  ///< vertical lines
  std::vector<Reference> y_references = {};  ///< horizontal lines
  Legend legend = Legend::automatic;
  double width = 480;   ///< CSS pixels, >= 200; the SVG scales to its container
  double height = 320;  ///< CSS pixels, >= 150

  /// @throws InvalidArgument naming the series whose lengths differ, or the axis whose min/max are
  ///         unusable, or a size that is too small.
  [[nodiscard]] std::string svg() const;
};

/// Where an array is driven and sensed; drawn as arrows at its edges (docs/conventions.md).
enum class Ports {
  none,
  forward,   ///< driven at the left ends of the wordlines, sensed at the bottom of the bitlines
  backward,  ///< driven at the bottom of the bitlines, sensed at the left of the wordlines
};

/// How a number becomes a colour. Both are uniform steps in the OKLab space.
enum class Ramp {
  sequential,  ///< dark violet (low) over green to light yellow (high)
  diverging,   ///< blue (negative) over a neutral tone (0) to red (positive), symmetric
};

/// A matrix as colours: row 0 on top (wordlines downwards), column 0 on the left.
/// Above 256 rows or columns blocks of cells are averaged and the note under the map says so; up to
/// 12 x 12 the cells carry their values. Cells that cannot be drawn stay hatched. In a Page the
/// value under the pointer is shown, unless the lines have names.
struct Heatmap {
  std::string title = {};
  Matrix values = {};         ///< SI units
  std::string quantity = {};  ///< what the colour means, e.g. "IR drop"
  std::string unit = {};      ///< as in Axis
  std::string row_label = "wordline";
  std::string column_label = "bitline";
  std::vector<std::string> row_names = {};  ///< in place of the indices: empty or one a row
  std::vector<std::string> column_names = {};
  Ports ports = Ports::none;
  Ramp ramp = Ramp::sequential;
  Scale scale = Scale::linear;     ///< of the colours: linear, or log for values > 0
  std::optional<double> min = {};  ///< colour range; empty: from the data
  std::optional<double> max = {};
  double width = 480;  ///< CSS pixels, >= 240; the height follows

  /// The line under the map: largest value and its place, mean (of a linear scale), averaging if
  /// any. Plain text.
  [[nodiscard]] std::string note() const;

  /// @throws InvalidArgument for min >= max, non-finite min or max, too small a width, names that
  ///         are not one a line, or names or a log scale where blocks are averaged.
  [[nodiscard]] std::string svg() const;
};

/// The bars of one colour in a BarPlot: one value for each group.
struct BarSeries {
  std::string name = {};
  std::vector<double> values = {};  ///< as long as BarPlot::groups; NaN: no bar, "n/a"
  std::vector<double> errors = {};  ///< half length of the whisker, empty or as long as values
  Colour colour = Colour::automatic;
};

/// Grouped horizontal bars with their values written beside them. If the axis does not contain 0
/// (min > 0, or logarithmic) dots are drawn instead, since the length of such a bar would lie.
struct BarPlot {
  std::string title = {};
  Axis axis = {};
  std::vector<std::string> groups = {};
  std::vector<BarSeries> series = {};
  std::vector<Reference> references = {};
  std::optional<int> decimals = {};  ///< of the value labels; empty: three significant digits
  double width = 480;                ///< CSS pixels, >= 240; the height follows

  /// @throws InvalidArgument naming the series whose lengths do not fit, or as LinePlot::svg.
  [[nodiscard]] std::string svg() const;
};

}  // namespace xbar::report
