#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/amplitude_data.hpp>

#include "median.hpp"
#include "text_table.hpp"

namespace xbar::fit {
namespace {

const std::vector<std::string_view> known = {"device",        "direction",  "pulse_volt",
                                             "pulse_second",  "before_ohm", "before_siemens",
                                             "after_siemens", "after_ohm"};

/// Where the columns are, by the names in the first row or those that are given.
class Columns {
 public:
  Columns(const TextTable& table, const AmplitudeLayout& layout) : table_(table), up_(layout.up) {
    if (layout.columns.empty()) {
      names_.assign(table.rows.front().fields.begin(), table.rows.front().fields.end());
    } else {
      names_ = layout.columns;
      for (const std::string& name : names_) {
        if (name != "-" && std::find(known.begin(), known.end(), name) == known.end()) {
          throw InvalidArgument(fmt::format("columns: expected {} or -, found {}",
                                            fmt::join(known, ", "), in_quotes(name)));
        }
      }
    }
    device_ = require("device");
    volt_ = require("pulse_volt");
    direction_ = find("direction");
    if (!direction_ && !up_) {
      refuse("a column direction, or the direction of all pulses by --direction");
    }
    second_ = find("pulse_second");
    after_ = find_reading("after");
    if (!after_) refuse("a column after_siemens or after_ohm");
    before_ = find_reading("before");
  }

  [[nodiscard]] std::string device(const TextTable::Row& row) const {
    return text(row, device_, "device");
  }
  [[nodiscard]] bool up(const TextTable::Row& row) const {
    if (!direction_) return *up_;
    const std::string word = text(row, *direction_, "direction");
    if (word == "up" || word == "+1" || word == "1") return true;
    if (word == "down" || word == "-1") return false;
    table_.fail(row,
                fmt::format("direction: expected up, down, +1 or -1, found {}", in_quotes(word)));
  }
  [[nodiscard]] double volt(const TextTable::Row& row) const {
    return std::abs(table_.number(row, volt_, "pulse_volt"));
  }
  [[nodiscard]] double second(const TextTable::Row& row) const {
    return second_ ? std::abs(table_.number(row, *second_, "pulse_second")) : 0;
  }
  [[nodiscard]] bool has_before() const { return before_.has_value(); }
  [[nodiscard]] double before(const TextTable::Row& row) const { return reading(row, *before_); }
  [[nodiscard]] double after(const TextTable::Row& row) const { return reading(row, *after_); }

 private:
  struct Reading {
    std::size_t column = 0;
    bool is_ohm = false;
  };
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names_.begin());
  }
  [[nodiscard]] std::size_t require(const std::string& name) const {
    const auto column = find(name);
    if (!column) refuse("a column " + name);
    return *column;
  }
  [[nodiscard]] std::optional<Reading> find_reading(const std::string& when) const {
    if (const auto column = find(when + "_siemens")) return Reading{*column, false};
    if (const auto column = find(when + "_ohm")) return Reading{*column, true};
    return std::nullopt;
  }
  [[noreturn]] void refuse(const std::string& expected) const {
    table_.fail(table_.rows.front(),
                fmt::format("expected {}, found {}", expected,
                            in_quotes(fmt::format("{}", fmt::join(names_, ",")))));
  }
  [[nodiscard]] std::string text(const TextTable::Row& row, std::size_t column,
                                 std::string_view what) const {
    if (column >= row.fields.size() || row.fields[column].empty()) {
      table_.fail(row, fmt::format("{}: expected a value, found nothing", what));
    }
    return std::string(row.fields[column]);
  }
  [[nodiscard]] double reading(const TextTable::Row& row, const Reading& at) const {
    const std::string& name = names_[at.column];
    const double value = table_.number(row, at.column, name);
    if (!(value > 0)) table_.fail(row, fmt::format("{}: expected > 0, found {}", name, value));
    return at.is_ohm ? 1 / value : value;
  }

  const TextTable& table_;
  std::optional<bool> up_;
  std::vector<std::string> names_;
  std::size_t device_ = 0;
  std::size_t volt_ = 0;
  std::optional<std::size_t> direction_;
  std::optional<std::size_t> second_;
  std::optional<Reading> before_;
  std::optional<Reading> after_;
};

}  // namespace

double AmplitudeData::largest_volt(bool up) const {
  double largest = 0;
  for (const AmplitudePulse& pulse : pulses) {
    if (pulse.up == up) largest = std::max(largest, pulse.volt);
  }
  return largest;
}

double AmplitudeData::median_second(bool up) const {
  std::vector<double> seconds;
  for (const AmplitudePulse& pulse : pulses) {
    if (pulse.up == up && pulse.second > 0) seconds.push_back(pulse.second);
  }
  return median(seconds);
}

AmplitudeData parse_amplitude_data(std::string_view text, const std::string& name,
                                   const AmplitudeLayout& layout) {
  const TextTable table = split_table(text, name);
  if (table.rows.empty())
    throw IoError(fmt::format("{}: expected rows of pulses, found none", name));
  const Columns columns(table, layout);
  AmplitudeData data{name, {}, {}};
  std::map<std::string, std::size_t> known_devices;
  AmplitudePulse last;
  bool in_series = false;
  for (std::size_t r = layout.columns.empty() ? 1 : 0; r < table.rows.size(); ++r) {
    const TextTable::Row& row = table.rows[r];
    const std::string device = columns.device(row);
    const auto [at, is_new] = known_devices.emplace(device, data.devices.size());
    if (is_new) data.devices.push_back(device);
    AmplitudePulse pulse;
    pulse.device = at->second;
    pulse.up = columns.up(row);
    pulse.volt = columns.volt(row);
    pulse.second = columns.second(row);
    pulse.after_siemens = columns.after(row);
    bool is_complete = true;
    if (columns.has_before()) {
      pulse.before_siemens = columns.before(row);
    } else {
      is_complete = in_series && pulse.device == last.device && pulse.up == last.up &&
                    pulse.volt >= last.volt;
      pulse.before_siemens = last.after_siemens;
    }
    if (is_complete && pulse.volt > 0) data.pulses.push_back(pulse);
    last = pulse;
    in_series = true;
  }
  return data;
}

AmplitudeData read_amplitude_data(const std::filesystem::path& path,
                                  const AmplitudeLayout& layout) {
  return parse_amplitude_data(read_file(path), path.string(), layout);
}

AmplitudeData join(const std::vector<AmplitudeData>& parts) {
  AmplitudeData data;
  std::map<std::string, std::size_t> known_devices;
  for (const AmplitudeData& part : parts) {
    data.name += (data.name.empty() ? "" : ", ") + part.name;
    for (AmplitudePulse pulse : part.pulses) {
      const std::string& device = part.devices[pulse.device];
      const auto [at, is_new] = known_devices.emplace(device, data.devices.size());
      if (is_new) data.devices.push_back(device);
      pulse.device = at->second;
      data.pulses.push_back(pulse);
    }
  }
  return data;
}

}  // namespace xbar::fit
