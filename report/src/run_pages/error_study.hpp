#pragma once

/// Errors of surrogates against the exact solver over sizes and resistances, and their plots.

#include <optional>
#include <string>
#include <vector>

#include "parts.hpp"

namespace xbar::report::pages {

/// One model at one technology with one kind of weights.
struct ErrorRow {
  double size = 0;
  double on_ohm = 0;
  double on_off_ratio = 0;
  double source_ohm = 0;
  double sink_ohm = 0;
  double wordline_ohm = 0;
  double bitline_ohm = 0;
  std::string weights;  ///< "uniform", "trained", ...
  std::string model;
  double relative = 0;       ///< root mean square of the deviations over that of the exact currents
  double mean = 0;           ///< of an input's largest deviation, as a share of its largest current
  double worst = 0;          ///< likewise
  double seconds = 0;        ///< to get one effective conductance
  double exact_seconds = 0;  ///< the exact solver's time for the same
};

using ErrorRows = std::vector<ErrorRow>;

[[nodiscard]] ErrorRows error_rows(const Value& list);

/// The models in the order in which they appear.
[[nodiscard]] std::vector<std::string> models(const ErrorRows& rows);
/// The values of a field, ascending, each once.
[[nodiscard]] std::vector<double> distinct(const ErrorRows& rows, double ErrorRow::*field);
[[nodiscard]] ErrorRows with(const ErrorRows& rows, double ErrorRow::*field, double value);
[[nodiscard]] ErrorRows of_model(const ErrorRows& rows, const std::string& model);
/// The row with the largest error; nothing if there is none.
[[nodiscard]] std::optional<ErrorRow> worst_row(const ErrorRows& rows,
                                                double ErrorRow::*error = &ErrorRow::worst);

/// The surrogate (other than ideal arithmetic) with the smallest worst error. Empty if there is
/// none.
[[nodiscard]] std::string best_model(const ErrorRows& rows);

/// Error axis that holds all of `rows`, so that neighbouring plots can be compared.
[[nodiscard]] Axis error_axis(const ErrorRows& rows);
[[nodiscard]] Axis size_axis(const ErrorRows& rows);
[[nodiscard]] Axis line_axis(const ErrorRows& rows);

/// A line for each model: mean, shaded up to the worst.
[[nodiscard]] LinePlot error_plot(const ErrorRows& rows, double ErrorRow::*x, const Axis& x_axis,
                                  const Axis& y_axis);

/// "From 16 to 128 cells a side ...": first and last error of each model, in words. `show` writes
/// an x value.
[[nodiscard]] std::string growth_words(const ErrorRows& rows, double ErrorRow::*x,
                                       std::string (*show)(double));
/// "64 × 64"
[[nodiscard]] std::string square(double size);

}  // namespace xbar::report::pages
