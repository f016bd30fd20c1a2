#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "median.hpp"
#include "pulse_layouts.hpp"

namespace xbar::fit {
namespace {

// Pulses between two readings; more than this is taken for a slip in the numbers.
constexpr double widest_gap = 10000;

/// Where the columns are, by the names in the first row.
class Columns {
 public:
  explicit Columns(const TextTable& table) : table_(table), heading_(table.rows.front()) {
    device_ = require("device");
    cycle_ = require("cycle");
    pulse_ = require("pulse");
    direction_ = require("direction");
    conductance_ = find("conductance_siemens");
    if (!conductance_) {
      current_ = find("current_ampere");
      if (!current_) refuse_without_conductance();
      read_volt_ = require("read_volt");
    }
    pulse_volt_ = find("pulse_volt");
    pulse_second_ = find("pulse_second");
  }

  [[nodiscard]] std::pair<std::string, std::string> curve(const TextTable::Row& row) const {
    return {text(row, device_, "device"), text(row, cycle_, "cycle")};
  }
  [[nodiscard]] double pulse(const TextTable::Row& row) const {
    return table_.number(row, pulse_, "pulse");
  }
  [[nodiscard]] bool up(const TextTable::Row& row) const {
    const std::string word = text(row, direction_, "direction");
    if (word == "up" || word == "+1" || word == "1") return true;
    if (word == "down" || word == "-1") return false;
    table_.fail(row,
                fmt::format("direction: expected up, down, +1 or -1, found {}", in_quotes(word)));
  }
  [[nodiscard]] double siemens(const TextTable::Row& row) const {
    if (conductance_) return table_.number(row, *conductance_, "conductance_siemens");
    const double volt = table_.number(row, *read_volt_, "read_volt");
    const double ampere = table_.number(row, *current_, "current_ampere");
    if (volt == 0) table_.fail(row, "read_volt: expected a voltage other than 0, found 0");
    return ampere / volt;
  }
  [[nodiscard]] std::optional<double> pulse_volt(const TextTable::Row& row) const {
    return optional_number(row, pulse_volt_, "pulse_volt");
  }
  [[nodiscard]] std::optional<double> pulse_second(const TextTable::Row& row) const {
    return optional_number(row, pulse_second_, "pulse_second");
  }

 private:
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::find(heading_.fields.begin(), heading_.fields.end(), name);
    if (found == heading_.fields.end()) return std::nullopt;
    return static_cast<std::size_t>(found - heading_.fields.begin());
  }
  [[nodiscard]] std::size_t require(std::string_view name) const {
    const auto column = find(name);
    if (!column) {
      table_.fail(heading_, fmt::format("expected a column {}, found {}", name, names()));
    }
    return *column;
  }
  [[noreturn]] void refuse_without_conductance() const {
    for (const std::string_view name : heading_.fields) {
      if (name.starts_with("conductance") || name.starts_with("current")) {
        table_.fail(heading_, fmt::format("expected the unit in the name, conductance_siemens or "
                                          "current_ampere, found {}",
                                          in_quotes(name)));
      }
    }
    table_.fail(heading_, fmt::format("expected a column conductance_siemens, or current_ampere "
                                      "and read_volt, found {}",
                                      names()));
  }
  [[nodiscard]] std::string names() const {
    return in_quotes(fmt::format("{}", fmt::join(heading_.fields, ",")));
  }
  [[nodiscard]] std::string text(const TextTable::Row& row, std::size_t column,
                                 std::string_view what) const {
    if (column >= row.fields.size() || row.fields[column].empty()) {
      table_.fail(row, fmt::format("{}: expected a value, found nothing", what));
    }
    return std::string(row.fields[column]);
  }
  [[nodiscard]] std::optional<double> optional_number(const TextTable::Row& row,
                                                      std::optional<std::size_t> column,
                                                      std::string_view what) const {
    if (!column) return std::nullopt;
    return std::abs(table_.number(row, *column, what));
  }

  const TextTable& table_;
  const TextTable::Row& heading_;
  std::size_t device_ = 0;
  std::size_t cycle_ = 0;
  std::size_t pulse_ = 0;
  std::size_t direction_ = 0;
  std::optional<std::size_t> conductance_;
  std::optional<std::size_t> current_;
  std::optional<std::size_t> read_volt_;
  std::optional<std::size_t> pulse_volt_;
  std::optional<std::size_t> pulse_second_;
};

}  // namespace

PulseData read_long(const TextTable& table) {
  const Columns columns(table);
  PulseData data;
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  std::vector<double> last_pulse;
  std::vector<double> volts[2];
  std::vector<double> seconds[2];
  for (std::size_t r = 1; r < table.rows.size(); ++r) {
    const TextTable::Row& row = table.rows[r];
    const auto key = columns.curve(row);
    const auto [found, is_new] = known.emplace(key, data.curves.size());
    if (is_new) {
      data.curves.push_back({key.first, key.second, {}, {}});
      last_pulse.push_back(0);
    }
    PulseCurve& curve = data.curves[found->second];
    const double pulse = columns.pulse(row);
    const bool up = columns.up(row);
    if (pulse != std::floor(pulse)) {
      table.fail(row, fmt::format("pulse: expected a whole number, found {}", pulse));
    }
    if (!is_new) {
      double& last = last_pulse[found->second];
      if (!(pulse > last) || pulse - last > widest_gap) {
        table.fail(row, fmt::format("pulse: expected {} to {} after pulse {} of device {}, cycle "
                                    "{}, found {}",
                                    last + 1, last + widest_gap, last, in_quotes(key.first),
                                    in_quotes(key.second), pulse));
      }
      // Pulses that were not read had the direction of the next one that was.
      for (double k = last + 1; k < pulse; ++k) {
        curve.up.push_back(up);
        curve.siemens.push_back(std::numeric_limits<double>::quiet_NaN());
      }
    }
    last_pulse[found->second] = pulse;
    curve.up.push_back(up);
    curve.siemens.push_back(columns.siemens(row));
    if (const auto volt = columns.pulse_volt(row)) volts[up ? 1 : 0].push_back(*volt);
    if (const auto second = columns.pulse_second(row)) seconds[up ? 1 : 0].push_back(*second);
  }
  data.up_volt = median(volts[1]);
  data.down_volt = median(volts[0]);
  data.up_second = median(seconds[1]);
  data.down_second = median(seconds[0]);
  return data;
}

}  // namespace xbar::fit
