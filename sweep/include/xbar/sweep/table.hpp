#pragma once

/// Tables of results: named columns of text cells, an empty cell where nothing is known.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xbar::sweep {

class Table {
 public:
  Table() = default;
  /// @param rows  of no more cells than there are columns
  Table(std::vector<std::string> columns, std::vector<std::vector<std::string>> rows)
      : columns_(std::move(columns)), rows_(std::move(rows)) {}

  /// A new row of these cells; columns not yet there come last, in the order given.
  void add_row(const std::vector<std::pair<std::string, std::string>>& cells);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  /// Number of the column of this name; columns().size() if there is none.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// Empty where the row has no such cell.
  [[nodiscard]] std::string_view cell(std::size_t row, std::size_t column) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;  // those with fewer cells end in empty ones
};

/// Comma-separated (RFC 4180), `comment` as lines that start with '#' before the names of the
/// columns.
[[nodiscard]] std::string to_csv(const Table& table, std::string_view comment);

/// The table that such a text holds.
/// @param name  for messages: the file
/// @throws IoError that names the line for another number of cells than of columns, quotes that do
///         not end, no names or one twice
[[nodiscard]] Table parse_table(std::string_view csv, const std::string& name);

/// The whole of a cell as a number, if it is one.
[[nodiscard]] std::optional<double> number_in(std::string_view cell);

/// By `keys`, rows that agree in them taken together in the order of their first: how many
/// (`runs`), and of each column of `values` NAME.mean, NAME.deviation (of one run) and NAME.low,
/// NAME.high: the mean's 95 % confidence interval by Student's t. Only rows with a number in it
/// count; with fewer than two there is no deviation and no interval.
[[nodiscard]] Table summary(const Table& table, const std::vector<std::string>& keys,
                            const std::vector<std::string>& values);

/// Columns of which every cell is a number or empty, and one is a number.
[[nodiscard]] std::vector<std::string> number_columns(const Table& table);

/// Whether this build can write HDF5.
[[nodiscard]] bool has_hdf5();

/// One dataset a column, in its order: doubles (an empty cell is NaN) where all are numbers, else
/// strings; the attribute `comment` of the file.
/// @throws IoError naming the path; a file there before is then as it was
void write_hdf5(const std::filesystem::path& path, const Table& table, const std::string& comment);

}  // namespace xbar::sweep
