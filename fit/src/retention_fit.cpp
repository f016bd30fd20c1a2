#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/retention_fit.hpp>

#include "text_table.hpp"

namespace xbar::fit {

RetentionData parse_retention_data(std::string_view text, const std::string& name) {
  const TextTable table = split_table(text, name);
  RetentionData data{name, {}, {}};
  for (std::size_t r = table.has_heading() ? 1 : 0; r < table.rows.size(); ++r) {
    const TextTable::Row& row = table.rows[r];
    if (row.fields.size() != 2) {
      table.fail(row,
                 fmt::format("expected 2 columns, time and reading, found {}", row.fields.size()));
    }
    const double second = table.number(row, 0, "time");
    const double reading = table.number(row, 1, "reading");
    const double last = data.second.empty() ? 0 : data.second.back();
    if (!(second > last)) {
      table.fail(row, fmt::format("time: expected more than {}, found {}", last, second));
    }
    if (!(reading > 0)) {
      table.fail(row, fmt::format("reading: expected a number > 0, found {}", reading));
    }
    data.second.push_back(second);
    data.reading.push_back(reading);
  }
  constexpr std::size_t fewest = 5;
  if (data.second.size() < fewest) {
    throw IoError(
        fmt::format("{}: expected at least {} rows, found {}", name, fewest, data.second.size()));
  }
  return data;
}

RetentionData read_retention_data(const std::filesystem::path& path) {
  return parse_retention_data(read_file(path), path.string());
}

RetentionFit fit_retention(const RetentionData& data) {
  const std::size_t size = data.second.size();
  const auto count = static_cast<double>(size);
  double mean_x = 0;
  double mean_y = 0;
  std::vector<double> x(size);
  std::vector<double> y(size);
  for (std::size_t k = 0; k < size; ++k) {
    x[k] = std::log(data.second[k] / data.second.front());
    y[k] = std::log(data.reading[k]);
    mean_x += x[k] / count;
    mean_y += y[k] / count;
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t k = 0; k < size; ++k) {
    xx += (x[k] - mean_x) * (x[k] - mean_x);
    xy += (x[k] - mean_x) * (y[k] - mean_y);
  }
  const double slope = xy / xx;
  double square = 0;
  double neighbours = 0;
  double last = 0;
  for (std::size_t k = 0; k < size; ++k) {
    const double e = y[k] - mean_y - slope * (x[k] - mean_x);
    square += e * e;
    if (k > 0) neighbours += e * last;
    last = e;
  }
  RetentionFit fit;
  fit.rms = std::sqrt(square / count);
  fit.correlation = square > 0 ? std::clamp(neighbours / square, 0.0, 0.99) : 0;
  const double inflation = (1 + fit.correlation) / (1 - fit.correlation);
  const double freedom = std::max(1.0, count / inflation - 2);
  const double variance = inflation * square / (count - 2);
  fit.exponent = make_estimate("drift_exponent", "", -slope, variance / xx, freedom);
  fit.start = make_estimate("ln_start", "", mean_y - slope * mean_x,
                            variance * (1 / count + mean_x * mean_x / xx), freedom);
  return fit;
}

}  // namespace xbar::fit
