#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/surrogate_calibrate/calibration_table.hpp>

namespace xbar::surrogate {
namespace {

constexpr std::string_view measured_name = "measured";

/// What a column holds.
enum class Content {
  model,
  distribution,
  lines,      ///< whole number of wordlines or bitlines
  condition,  ///< number that check_calibration_point() checks
  figure,     ///< number >= 0 that may be unknown
};

struct Column {
  std::string_view name;
  Content content;
  bool needed = false;
  Index& (*lines)(CalibrationRow&) = nullptr;
  double& (*number)(CalibrationRow&) = nullptr;
};

Column lines(std::string_view name, Index& (*field)(CalibrationRow&)) {
  return {name, Content::lines, true, field, nullptr};
}
Column needed(std::string_view name, double& (*field)(CalibrationRow&)) {
  return {name, Content::condition, true, nullptr, field};
}
Column condition(std::string_view name, double& (*field)(CalibrationRow&)) {
  return {name, Content::condition, false, nullptr, field};
}
Column figure(std::string_view name, double& (*field)(CalibrationRow&), bool is_needed = false) {
  return {name, Content::figure, is_needed, nullptr, field};
}

using Row = CalibrationRow;

// In the order in which they are written.
const std::array<Column, 24>& all_columns() {
  static const std::array<Column, 24> table{{
      {"model", Content::model, true},
      lines("rows", [](Row& r) -> Index& { return r.point.rows; }),
      lines("columns", [](Row& r) -> Index& { return r.point.columns; }),
      needed("on_ohm", [](Row& r) -> double& { return r.point.on_ohm; }),
      needed("on_off_ratio", [](Row& r) -> double& { return r.point.on_off_ratio; }),
      needed("source_ohm", [](Row& r) -> double& { return r.point.wires.source_ohm; }),
      needed("sink_ohm", [](Row& r) -> double& { return r.point.wires.sink_ohm; }),
      needed("wordline_ohm", [](Row& r) -> double& { return r.point.wires.wordline_ohm; }),
      needed("bitline_ohm", [](Row& r) -> double& { return r.point.wires.bitline_ohm; }),
      {"distribution", Content::distribution},
      condition("density", [](Row& r) -> double& { return r.point.density; }),
      condition("sinh_alpha_per_volt", [](Row& r) -> double& { return r.point.sinh_alpha; }),
      condition("input_volt", [](Row& r) -> double& { return r.point.input_volt; }),
      figure(
          "relative_error", [](Row& r) -> double& { return r.measurement.relative_error; }, true),
      figure("mean_error", [](Row& r) -> double& { return r.measurement.mean_error; }),
      figure("p99_error", [](Row& r) -> double& { return r.measurement.p99_error; }),
      figure("worst_error", [](Row& r) -> double& { return r.measurement.worst_error; }),
      figure("gain", [](Row& r) -> double& { return r.measurement.gain; }),
      figure("relative_error_after_gain",
             [](Row& r) -> double& { return r.measurement.relative_error_after_gain; }),
      figure("first_column_gain",
             [](Row& r) -> double& { return r.measurement.first_column_gain; }),
      figure("last_column_gain", [](Row& r) -> double& { return r.measurement.last_column_gain; }),
      figure("relative_error_after_column_gain",
             [](Row& r) -> double& { return r.measurement.relative_error_after_column_gain; }),
      figure("refresh_seconds", [](Row& r) -> double& { return r.measurement.refresh_seconds; }),
      figure("effective_seconds",
             [](Row& r) -> double& { return r.measurement.effective_seconds; }),
  }};
  return table;
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);  // UTF-8 byte order mark
  }

  CalibrationTable read() {
    while (!rest_.empty()) {
      const std::string_view line = next_line();
      if (line.starts_with('#')) {
        if (columns_.empty()) table_.comments.emplace_back(line.substr(line.starts_with("# ") + 1));
      } else if (line.empty()) {
        continue;
      } else if (columns_.empty()) {
        read_heading(line);
      } else {
        read_row(line);
      }
    }
    if (columns_.empty()) {
      throw IoError(
          fmt::format("{}: expected a line with the names of the columns, got none", name_));
    }
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw IoError(fmt::format("{}: line {}: {}", name_, line_number_, what));
  }
  [[noreturn]] void fail_in(std::size_t column, const std::string& what) const {
    fail(fmt::format("column {} ({}): {}", column + 1, columns_[column]->name, what));
  }

  std::string_view next_line() {
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    ++line_number_;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return trim(line);
  }

  static std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    while (true) {
      const std::size_t end = line.find(',');
      fields.push_back(trim(line.substr(0, end)));
      if (end == std::string_view::npos) return fields;
      line.remove_prefix(end + 1);
    }
  }

  void read_heading(std::string_view line) {
    std::vector<std::string> names;
    for (const Column& column : all_columns()) names.emplace_back(column.name);
    for (const std::string_view field : fields_of(line)) {
      const auto found = std::find(names.begin(), names.end(), field);
      if (found == names.end()) {
        fail(
            fmt::format("column {}: expected the name of a column of calibration tables, got "
                        "'{}'{}",
                        columns_.size() + 1, field, did_you_mean(field, names)));
      }
      const Column& column = all_columns()[static_cast<std::size_t>(found - names.begin())];
      if (std::find(columns_.begin(), columns_.end(), &column) != columns_.end()) {
        fail(fmt::format("column {}: {} stands there twice", columns_.size() + 1, field));
      }
      columns_.push_back(&column);
    }
    for (const Column& column : all_columns()) {
      if (column.needed && std::find(columns_.begin(), columns_.end(), &column) == columns_.end()) {
        fail(fmt::format("expected a column {}, got none", column.name));
      }
    }
  }

  void read_row(std::string_view line) {
    const std::vector<std::string_view> fields = fields_of(line);
    if (fields.size() != columns_.size()) {
      fail(fmt::format("expected {} fields, got {}", columns_.size(), fields.size()));
    }
    CalibrationRow row;
    for (const Column& column : all_columns()) {
      if (column.content == Content::figure) {
        column.number(row) = std::numeric_limits<double>::quiet_NaN();
      }
    }
    for (std::size_t c = 0; c < fields.size(); ++c) read_field(c, fields[c], row);
    check_point(row.point);
    const std::string text = format_calibration_row(row);
    // What comes before the figures tells rows apart.
    std::string key(text, 0, nth_comma(text, 13));
    const auto [former, is_new] = lines_.emplace(std::move(key), line_number_);
    if (!is_new) {
      fail(fmt::format("the same model at the same point as in line {}", former->second));
    }
    table_.rows.push_back(row);
  }

  static std::size_t nth_comma(std::string_view text, int n) {
    std::size_t at = 0;
    for (int k = 0; k < n; ++k) at = text.find(',', at) + 1;
    return at;
  }

  void read_field(std::size_t c, std::string_view field, CalibrationRow& row) const {
    const Column& column = *columns_[c];
    if (field.empty() && !column.needed) return;
    try {
      switch (column.content) {
        case Content::model:
          row.measured = field == measured_name;
          if (!row.measured) row.measurement.model = parse_model(field);
          break;
        case Content::distribution:
          row.point.distribution = parse_distribution(field);
          break;
        case Content::lines:
          column.lines(row) = number<Index>(c, field, "a whole number");
          break;
        case Content::condition:
          column.number(row) = number<double>(c, field, "a number");
          break;
        case Content::figure:
          column.number(row) = number<double>(c, field, "a number");
          if (!(column.number(row) >= 0) || std::isinf(column.number(row))) {
            fail_in(c, fmt::format("expected 0 or more, finite, got {}", field));
          }
          break;
      }
    } catch (const InvalidArgument& error) {  // unknown names
      fail_in(c, error.what());
    }
  }

  template <typename Number>
  Number number(std::size_t c, std::string_view field, const char* expected) const {
    Number value{};
    const char* const end = field.data() + field.size();
    const auto [stop, error] = std::from_chars(field.data(), end, value);
    if (error != std::errc() || stop != end) {
      fail_in(c, fmt::format("expected {}, got {}", expected,
                             field.empty() ? "nothing" : fmt::format("'{}'", field)));
    }
    return value;
  }

  /// The checks name the key, "on-ohm: ..."; the column is found by it.
  void check_point(const CalibrationPoint& point) const {
    try {
      check_calibration_point(point);
    } catch (const InvalidArgument& error) {
      const std::string message = error.what();
      std::string key = message.substr(0, message.find(':'));
      std::replace(key.begin(), key.end(), '-', '_');
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (columns_[c]->name.starts_with(key)) {
          fail_in(c, message.substr(std::min(message.size(), key.size() + 2)));
        }
      }
      fail(message);
    }
  }

  std::string_view rest_;
  const std::string& name_;
  std::size_t line_number_ = 0;
  std::vector<const Column*> columns_;
  std::map<std::string, std::size_t> lines_;
  CalibrationTable table_;
};

}  // namespace

std::string_view CalibrationRow::model_name() const {
  return measured ? measured_name : surrogate::model_name(measurement.model);
}

std::vector<std::string> calibration_legend() {
  return {
      "errors: shares, 0.01 = 1 %; gains and ratios: plain numbers; units of the others at the end "
      "of their names",
      "relative_error: root mean square of the deviations of the output currents over that of the "
      "exact currents",
      "mean_error, p99_error, worst_error: an input's largest deviation over its largest exact "
      "current; mean, 99th percentile and largest over the inputs",
      "gain, column_gain: factors that fit the model's currents to the exact ones, one in all or "
      "one a bitline",
      "refresh_seconds, effective_seconds: one array, single precision, one core",
  };
}

std::string format_calibration_row(const CalibrationRow& given) {
  CalibrationRow row = given;
  std::string text;
  for (const Column& column : all_columns()) {
    if (!text.empty()) text += ',';
    switch (column.content) {
      case Content::model:
        text += row.model_name();
        break;
      case Content::distribution:
        text += distribution_name(row.point.distribution);
        break;
      case Content::lines:
        text += fmt::format("{}", column.lines(row));
        break;
      case Content::condition:
      case Content::figure:
        if (!std::isnan(column.number(row))) text += fmt::format("{}", column.number(row));
        break;
    }
  }
  return text + "\n";
}

std::string format_calibration_table(const CalibrationTable& table) {
  std::string text;
  for (const std::string& comment : table.comments) text += fmt::format("# {}\n", comment);
  std::vector<std::string_view> names;
  for (const Column& column : all_columns()) names.push_back(column.name);
  text += fmt::format("{}\n", fmt::join(names, ","));
  for (const CalibrationRow& row : table.rows) text += format_calibration_row(row);
  return text;
}

CalibrationTable parse_calibration_table(std::string_view text, const std::string& name) {
  return Reader(text, name).read();
}

CalibrationTable read_calibration_table(const std::filesystem::path& path) {
  return parse_calibration_table(read_file(path), path.string());
}

}  // namespace xbar::surrogate
