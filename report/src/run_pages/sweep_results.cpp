#include "sweep_results.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/text.hpp>

namespace xbar::report::pages {
namespace {

sweep::Table read_table(const std::filesystem::path& path) {
  return sweep::parse_table(read_file(path), path.string());
}

// The column's cell, if it is the same in all rows that have one.
std::string constant(const sweep::Table& table, const std::string& column) {
  const std::vector<std::string> cells = distinct(table, column);
  return cells.size() == 1 ? cells.front() : "";
}

// runs.1.test_accuracy belongs to what runs.1.name calls it.
std::string owner_of(const sweep::Table& table, const std::string& name) {
  for (std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
       dot = name.rfind('.', dot - 1)) {
    const std::string owner = constant(table, name.substr(0, dot) + ".name");
    if (!owner.empty()) return owner;
  }
  return "";
}

SweepResult describe(const sweep::Table& table, const std::string& name) {
  const std::string owner = owner_of(table, name);
  SweepResult result{name, owner.empty() ? name : fmt::format("{} ({})", name, owner)};
  const std::string last = name.substr(name.rfind('.') + 1);
  constexpr int accuracy = 0;  // each followed by the same of what the arrays are compared with
  constexpr int error = 2;
  constexpr int loss = 4;
  constexpr int other = 6;
  if (last.ends_with("accuracy")) {
    result.rank = accuracy;
    result.merit = Merit::higher_is_better;
    result.is_share = true;
  } else if (last.ends_with("error")) {
    constexpr std::array shares = {"relative_error", "mean_error", "worst_error"};
    result.rank = error;
    result.merit = Merit::lower_is_better;
    result.is_share = std::find(shares.begin(), shares.end(), last) != shares.end();
  } else if (last.ends_with("loss")) {
    result.rank = loss;
    result.merit = Merit::lower_is_better;
  } else {
    result.rank = other;
  }
  const bool is_reference =
      owner == "ideal" || name.starts_with("ideal.") || name.find("as_is.") != std::string::npos;
  result.rank += is_reference ? 1 : 0;
  return result;
}

std::vector<SweepResult> results_of(const sweep::Table& table,
                                    const std::vector<std::string>& keys) {
  std::vector<SweepResult> results;
  for (const std::string& name : sweep::number_columns(table)) {
    const bool is_key = std::find(keys.begin(), keys.end(), name) != keys.end();
    // point and error are texts that may look like numbers; seeds and technologies are settings.
    if (is_key || name == "point" || name == "error" || name == "seed" ||
        name.starts_with("seeds.") || name.find("technology.") != std::string::npos) {
      continue;
    }
    SweepResult result = describe(table, name);
    // What is the same everywhere is a setting that the results repeat, unless it says how good.
    if (result.merit == Merit::none && distinct(table, name).size() == 1) continue;
    results.push_back(std::move(result));
  }
  std::stable_sort(results.begin(), results.end(),
                   [](const SweepResult& a, const SweepResult& b) { return a.rank < b.rank; });
  return results;
}

}  // namespace

sweep::Table SweepResults::settings() const {
  std::vector<std::string> names;
  for (const SweepResult& result : results) names.push_back(result.name);
  return sweep::summary(points, keys, names);
}

std::optional<Estimate> estimate_of(const sweep::Table& settings, std::size_t row,
                                    const std::string& result) {
  const auto number = [&](const char* what) {
    return sweep::number_in(settings.cell(row, settings.column(result + what)));
  };
  const std::optional<double> mean = number(".mean");
  if (!mean) return std::nullopt;
  return Estimate{*mean, number(".low"), number(".high")};
}

std::string readable(std::string_view cell) {
  constexpr int digits = 6;
  const auto number = sweep::number_in(cell);
  return number ? format_number(*number, digits) : std::string(cell);
}

bool is_numeric(const sweep::Table& table, const std::string& column) {
  const std::size_t at = table.column(column);
  for (std::size_t r = 0; r < table.size(); ++r) {
    if (!sweep::number_in(table.cell(r, at))) return false;
  }
  return true;
}

std::vector<std::string> distinct(const sweep::Table& table, const std::string& column) {
  const std::size_t at = table.column(column);
  std::vector<std::string> cells;
  for (std::size_t r = 0; r < table.size(); ++r) {
    const std::string cell(table.cell(r, at));
    if (cell.empty() || std::find(cells.begin(), cells.end(), cell) != cells.end()) continue;
    cells.push_back(cell);
  }
  if (is_numeric(table, column)) {
    std::sort(cells.begin(), cells.end(), [](const std::string& a, const std::string& b) {
      return *sweep::number_in(a) < *sweep::number_in(b);
    });
  }
  return cells;
}

SweepResults read_sweep(const Run& run) {
  SweepResults sweep;
  const auto file = [&](const char* name) { return run.file(run.results.at(name)); };
  sweep.points = read_table(file("table"));
  sweep.times = read_table(file("times"));
  for (const Value& key : run.results.at("keys").items()) {
    const std::string name = key.text();
    if (sweep.points.size() > 0 && sweep.points.column(name) == sweep.points.columns().size()) {
      throw IoError(
          fmt::format("{}: expected a column {}, found none", file("table").string(), name));
    }
    sweep.keys.push_back(name);
  }
  const auto seed = std::find(sweep.keys.begin(), sweep.keys.end(), "seed");
  if (seed != sweep.keys.end() && sweep.keys.size() > 1) {
    sweep.keys.erase(seed);
    sweep.has_seeds = true;
  }
  sweep.results = results_of(sweep.points, sweep.keys);
  return sweep;
}

}  // namespace xbar::report::pages
