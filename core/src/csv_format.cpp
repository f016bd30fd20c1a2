#include "csv_format.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>

#include "printable.hpp"

namespace xbar {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Takes the next line off `rest`, without comment, line end and blanks around.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return trim(line.substr(0, line.find('#')));
}

/// The first of ';' and ',' that the file uses outside comments, else ' ' for blanks. With ';' a
/// comma is never taken for a separator: it may be a decimal comma, which is then refused as such.
char find_separator(std::string_view text) {
  char separator = ' ';
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.find(';') != std::string_view::npos) return ';';
    if (line.find(',') != std::string_view::npos) separator = ',';
  }
  return separator;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);  // UTF-8 byte order mark
    separator_ = find_separator(rest_);
  }

  ArrayFile read() {
    while (!rest_.empty()) {
      const std::string_view line = next_line(rest_);
      ++line_number_;
      if (line.empty()) continue;
      const std::size_t before = values_.size();
      read_line(line);
      check_columns(values_.size() - before);
    }
    if (columns_ == 0) {
      throw IoError(fmt::format("{}: expected rows of numbers, got none", name_));
    }
    ArrayFile result;
    const auto columns = static_cast<Index>(columns_);
    result.values = Eigen::Map<const Matrix>(values_.data(),
                                             static_cast<Index>(values_.size()) / columns, columns);
    result.is_vector = columns == 1;
    return result;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format("{}: line {}: {}", name_, line_number_, what));
  }

  void read_line(std::string_view line) {
    std::size_t column = 0;
    while (true) {
      const std::size_t end =
          separator_ == ' ' ? line.find_first_of(blanks) : line.find(separator_);
      values_.push_back(number(trim(line.substr(0, end)), ++column));
      if (end == std::string_view::npos) return;
      line.remove_prefix(end + 1);
      if (separator_ == ' ') line = trim(line);
    }
  }

  double number(std::string_view field, std::size_t column) const {
    std::string_view digits = field;
    if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
    double value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error == std::errc::result_out_of_range && stop == end) {
      fail(fmt::format("column {}: {} is outside the range of float64", column,
                       detail::printable(field)));
    }
    if (error != std::errc() || stop != end) {
      fail(fmt::format("column {}: expected a number, got {}{}", column,
                       field.empty() ? "nothing" : detail::printable(field),
                       line_number_ == 1 ? " (a heading must start with '#')" : ""));
    }
    return value;
  }

  void check_columns(std::size_t found) {
    if (columns_ == 0) {
      columns_ = found;
      first_line_ = line_number_;
    } else if (found != columns_) {
      fail(fmt::format("expected {} numbers as in line {}, got {}", columns_, first_line_, found));
    }
  }

  std::string_view rest_;
  const std::string& name_;
  char separator_ = ' ';
  std::vector<double> values_;
  std::size_t line_number_ = 0;
  std::size_t first_line_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace

ArrayFile parse_csv(std::string_view bytes, const std::string& name) {
  return CsvReader(bytes, name).read();
}

std::string detail::format_csv(const Matrix& values) {
  std::string text;
  for (Index i = 0; i < values.rows(); ++i) {
    for (Index j = 0; j < values.cols(); ++j) {
      fmt::format_to(std::back_inserter(text), "{}{:.17g}", j == 0 ? "" : ",", values(i, j));
    }
    text += '\n';
  }
  return text;
}

}  // namespace xbar
