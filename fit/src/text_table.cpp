#include "text_table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::fit {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Takes the next line off `rest`, without comment.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line.substr(0, line.find('#'));
}

char find_separator(std::string_view text) {
  char separator = ',';
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (trim(line).find('\t') != std::string_view::npos) return '\t';
    if (line.find(';') != std::string_view::npos) separator = ';';
  }
  return separator;
}

bool says_nan(std::string_view field) { return field == "NaN" || field == "nan" || field == "NAN"; }

}  // namespace

std::string in_quotes(std::string_view field) {
  constexpr std::size_t longest = 40;
  std::string text = "'";
  for (const char c : field.substr(0, longest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text + (field.size() > longest ? "...'" : "'");
}

void TextTable::fail(const Row& row, const std::string& what) const {
  throw IoError(fmt::format("{}: line {}: {}", name, row.line, what));
}

bool TextTable::has_heading() const {
  if (rows.empty()) return false;
  const auto& fields = rows.front().fields;
  return std::any_of(fields.begin(), fields.end(), [](std::string_view field) {
    return !field.empty() && !says_nan(field) &&
           std::string_view("+-.0123456789").find(field.front()) == std::string_view::npos;
  });
}

std::size_t TextTable::width() const {
  std::size_t widest = 0;
  for (const Row& row : rows) widest = std::max(widest, row.fields.size());
  return widest;
}

double TextTable::number(const Row& row, std::size_t column, std::string_view what) const {
  if (column >= row.fields.size()) {
    fail(row, fmt::format("expected {} in column {}, found {} columns", what, column + 1,
                          row.fields.size()));
  }
  std::string_view digits = row.fields[column];
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stop != end || !std::isfinite(value)) {
    fail(row, fmt::format("{}: expected a finite number, found {}", what,
                          digits.empty() ? "nothing" : in_quotes(row.fields[column])));
  }
  return value;
}

double TextTable::number_or_gap(const Row& row, std::size_t column, std::string_view what) const {
  if (column >= row.fields.size() || row.fields[column].empty() || says_nan(row.fields[column])) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return number(row, column, what);
}

TextTable split_table(std::string_view text, const std::string& name) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // UTF-8 byte order mark
  const char separator = find_separator(text);
  TextTable table{name, {}};
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    std::string_view line = next_line(text);
    TextTable::Row row{line_number, {}};
    while (true) {
      const std::size_t end = line.find(separator);
      row.fields.push_back(trim(line.substr(0, end)));
      if (end == std::string_view::npos) break;
      line.remove_prefix(end + 1);
    }
    const bool blank = std::all_of(row.fields.begin(), row.fields.end(),
                                   [](std::string_view field) { return field.empty(); });
    if (!blank) table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace xbar::fit
