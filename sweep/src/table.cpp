#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include <xbar/sweep/table.hpp>

namespace xbar::sweep {
namespace {

using Cells = std::vector<std::pair<std::string, std::string>>;

void add_estimates(const std::string& name, const std::vector<double>& found, Cells& cells) {
  const auto add = [&](const char* what, double value) {
    cells.emplace_back(name + what, fmt::to_string(value));
  };
  if (found.empty()) {
    cells.emplace_back(name + ".mean", "");
    return;
  }
  const auto count = static_cast<double>(found.size());
  double mean = 0;
  for (const double value : found) mean += value;
  mean /= count;
  add(".mean", mean);
  if (found.size() < 2) return;
  double square = 0;
  for (const double value : found) square += (value - mean) * (value - mean);
  const double deviation = std::sqrt(square / (count - 1));
  constexpr double upper = 0.975;
  const double half = boost::math::quantile(boost::math::students_t(count - 1), upper) * deviation /
                      std::sqrt(count);
  add(".deviation", deviation);
  add(".low", mean - half);
  add(".high", mean + half);
}

}  // namespace

std::optional<double> number_in(std::string_view cell) {
  double value = 0;
  const char* const end = cell.data() + cell.size();
  const auto [stop, error] = std::from_chars(cell.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

void Table::add_row(const Cells& cells) {
  std::vector<std::string> row(columns_.size());
  for (const auto& [name, value] : cells) {
    const std::size_t at = column(name);
    if (at == columns_.size()) {
      columns_.push_back(name);
      row.emplace_back();
    }
    row[at] = value;
  }
  rows_.push_back(std::move(row));
}

std::size_t Table::column(std::string_view name) const {
  return static_cast<std::size_t>(std::find(columns_.begin(), columns_.end(), name) -
                                  columns_.begin());
}

std::string_view Table::cell(std::size_t row, std::size_t column) const {
  return column < rows_[row].size() ? std::string_view(rows_[row][column]) : std::string_view();
}

Table summary(const Table& table, const std::vector<std::string>& keys,
              const std::vector<std::string>& values) {
  std::map<Cells, std::size_t> group_of;
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t r = 0; r < table.size(); ++r) {
    Cells agreed;
    for (const std::string& key : keys) {
      agreed.emplace_back(key, table.cell(r, table.column(key)));
    }
    const auto [at, is_new] = group_of.emplace(std::move(agreed), groups.size());
    if (is_new) groups.emplace_back();
    groups[at->second].push_back(r);
  }
  std::vector<Cells> rows(groups.size());
  for (const auto& [agreed, group] : group_of) rows[group] = agreed;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    rows[g].emplace_back("runs", fmt::to_string(groups[g].size()));
    for (const std::string& value : values) {
      const std::size_t column = table.column(value);
      std::vector<double> found;
      for (const std::size_t r : groups[g]) {
        if (const auto number = number_in(table.cell(r, column))) found.push_back(*number);
      }
      add_estimates(value, found, rows[g]);
    }
  }
  Table result;
  for (const Cells& row : rows) result.add_row(row);
  return result;
}

std::vector<std::string> number_columns(const Table& table) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    bool any = false;
    bool all = true;
    for (std::size_t r = 0; r < table.size() && all; ++r) {
      if (table.cell(r, c).empty()) continue;
      all = number_in(table.cell(r, c)).has_value();
      any = true;
    }
    if (any && all) names.push_back(table.columns()[c]);
  }
  return names;
}

}  // namespace xbar::sweep
