#pragma once

/// The lines and fields of a text file of numbers.

#include <string>
#include <string_view>
#include <vector>

namespace xbar::fit {

/// Rows of fields; comments ('#' to the end of a line) and rows without any content are left out.
struct TextTable {
  struct Row {
    std::size_t line = 0;  ///< from 1
    std::vector<std::string_view> fields;
  };
  std::string name;  ///< of the file
  std::vector<Row> rows;

  /// @throws IoError "NAME: line N: what"
  [[noreturn]] void fail(const Row& row, const std::string& what) const;

  /// Whether the first row is one of names: a field of it begins like no number and is no nan.
  [[nodiscard]] bool has_heading() const;
  /// The largest number of fields of a row.
  [[nodiscard]] std::size_t width() const;

  /// Field `column` of a row as a finite number.
  /// @param what  its name, for the message
  [[nodiscard]] double number(const Row& row, std::size_t column, std::string_view what) const;

  /// The same where a blank field or one that says nan is NaN, a reading that was not taken.
  [[nodiscard]] double number_or_gap(const Row& row, std::size_t column,
                                     std::string_view what) const;
};

/// Splits at tabs where the text has any, else at ';' or ','. Fields have no blanks around them.
/// The table refers to `text`.
[[nodiscard]] TextTable split_table(std::string_view text, const std::string& name);

/// `field` in quotes, cut short, control bytes as \xNN.
[[nodiscard]] std::string in_quotes(std::string_view field);

}  // namespace xbar::fit
