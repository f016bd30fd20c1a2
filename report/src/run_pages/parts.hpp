#pragma once

/// What several pages of runs have in common: words, units, colours, the end of the page.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <xbar/report/page.hpp>
#include <xbar/report/plot.hpp>

#include "run_file.hpp"

namespace xbar::report::pages {

using Entries = std::vector<std::pair<std::string, std::string>>;

/// A share as percent: "98.25 %", digits behind the point fixed.
[[nodiscard]] std::string percent(double share, int decimals = 2);
/// An error as percent with three significant digits: "0.0431 %".
[[nodiscard]] std::string error_percent(double share);
/// A difference of two shares: "+0.25 points".
[[nodiscard]] std::string points(double difference);
/// "12,000"
[[nodiscard]] std::string grouped(long long value);
/// "29.2 ms", "36.8 s", "2 min 3 s"
[[nodiscard]] std::string duration(double seconds);
/// "20 kΩ"
[[nodiscard]] std::string ohms(double ohm);
/// A ratio of times, to two digits: 3029 is "3,000".
[[nodiscard]] Cell times(double ratio);
/// "1 epoch", "4 epochs"
[[nodiscard]] std::string plural(long long count, std::string_view one);

/// What the cells and wires of an array are.
struct Technology {
  double on_ohm = 0;
  double on_off_ratio = 0;
  double source_ohm = 0;
  double sink_ohm = 0;
  double wordline_ohm = 0;
  double bitline_ohm = 0;
  double tile_rows = 0;
  double tile_columns = 0;
  std::string terminals;
  std::string gain;
  double write_noise = 0;
  std::string layout;
};

[[nodiscard]] Technology technology(const Value& value);
/// Key-value lines of all of it.
[[nodiscard]] Entries describe(const Technology& technology);
/// One line: "20 kΩ cells (R_on; on/off ratio 10), 2.5 Ω a line segment, ..."
[[nodiscard]] std::string in_words(const Technology& technology);
/// "2.5 Ω a line segment", or both where wordlines and bitlines differ.
[[nodiscard]] std::string line_words(double wordline_ohm, double bitline_ohm);
/// Names that tell technologies apart: "R_on 20 kΩ", with the line resistance too where R_on does
/// not do.
[[nodiscard]] std::vector<std::string> labels(const std::vector<Technology>& technologies);

/// How a surrogate is called in text and coloured in plots.
[[nodiscard]] std::string model_label(const std::string& name);
[[nodiscard]] Colour model_colour(const std::string& name);

/// Up to 1 % is good, up to 5 % a warning.
[[nodiscard]] Status error_status(double share);

/// An axis for accuracies in percent, not from 0 if all of them (each less its noise) are high.
[[nodiscard]] Axis accuracy_axis(const std::vector<double>& percents,
                                 const std::vector<double>& noise);

/// Ticks on whole numbers from 1 to `last`: epochs, layers.
[[nodiscard]] Axis count_axis(const std::string& label, double last);

/// Says that the run is not finished, in place of a verdict.
void unfinished_verdict(Page& page);

/// The last section (settings, command, `machine`) and the footer.
void add_end(Page& page, const Run& run, const Entries& machine = {});

}  // namespace xbar::report::pages
