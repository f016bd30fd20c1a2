#pragma once

/// The tables of a sweep, and which of their columns are results.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/sweep/table.hpp>

#include "run_file.hpp"

namespace xbar::report::pages {

/// What a result says about how good a setting is.
enum class Merit { none, higher_is_better, lower_is_better };

/// A column of the table.
struct SweepResult {
  std::string name;   ///< of the column
  std::string label;  ///< with the name of the training leg that it belongs to, if it does
  Merit merit = Merit::none;
  bool is_share = false;  ///< shown as percent
  int rank = 0;           ///< smaller: looked for first
};

struct SweepResults {
  sweep::Table points;               ///< table.csv
  sweep::Table times;                ///< times.csv
  std::vector<std::string> keys;     ///< that settings differ in
  bool has_seeds = false;            ///< several runs a setting
  std::vector<SweepResult> results;  ///< what is looked for first comes first

  /// A row a setting: keys, runs, and each result's mean and interval (sweep::summary).
  [[nodiscard]] sweep::Table settings() const;
};

/// The mean of a result over the seeds of a setting and, with several, its 95 % interval.
struct Estimate {
  double mean = 0;
  std::optional<double> low = {};
  std::optional<double> high = {};
};

/// Of a row of settings(); nothing where no run has the result.
[[nodiscard]] std::optional<Estimate> estimate_of(const sweep::Table& settings, std::size_t row,
                                                  const std::string& result);

/// The distinct cells of a column: by value if all are numbers, else as they come.
[[nodiscard]] std::vector<std::string> distinct(const sweep::Table& table,
                                                const std::string& column);
/// A cell as people read it: 20000 for 20000.0.
[[nodiscard]] std::string readable(std::string_view cell);
/// Whether all cells of a column are numbers.
[[nodiscard]] bool is_numeric(const sweep::Table& table, const std::string& column);

/// @throws IoError naming the file if a table is missing or damaged
[[nodiscard]] SweepResults read_sweep(const Run& run);

}  // namespace xbar::report::pages
