#pragma once

/// Calibration tables: what the members do at many points, as a CSV file that people and other
/// programs can write too (docs/recipes/calibration.md).

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::surrogate {

/// One line of the table.
struct CalibrationRow {
  CalibrationPoint point;
  /// Someone's own measurement or SPICE run of real currents: `measurement` says how ideal
  /// arithmetic compares with those, as the rows of `ideal` do with the exact solver's.
  bool measured = false;
  /// Figures that the file does not give are NaN.
  Measurement measurement;

  /// "measured" or the member's name.
  [[nodiscard]] std::string_view model_name() const;
};

/// A file of them.
struct CalibrationTable {
  std::vector<std::string> comments;  ///< lines at the top: where it comes from, what the units are
  std::vector<CalibrationRow> rows;
};

/// The comment lines that explain the columns.
[[nodiscard]] std::vector<std::string> calibration_legend();

/// Comment lines "# ...", a line with the names of the columns, a line a row. Numbers are the
/// shortest that read back to the same bits; NaN is an empty field.
[[nodiscard]] std::string format_calibration_table(const CalibrationTable& table);

/// The rows alone, as they stand in format_calibration_table().
[[nodiscard]] std::string format_calibration_row(const CalibrationRow& row);

/// Columns in any order, by name. Needed: model, rows, columns, on_ohm, on_off_ratio, source_ohm,
/// sink_ohm, wordline_ohm, bitline_ohm, relative_error; the others may be missing, or their fields
/// empty: conditions are then those of CalibrationPoint, figures unknown.
/// @param name  stands for the file in messages
/// @throws IoError naming line and column, what was expected and what was found; also for two rows
///         of the same model at the same point
[[nodiscard]] CalibrationTable parse_calibration_table(std::string_view text,
                                                       const std::string& name);

/// The same from a file. @throws IoError
[[nodiscard]] CalibrationTable read_calibration_table(const std::filesystem::path& path);

}  // namespace xbar::surrogate
