#include "pulse_layouts.hpp"

#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

#include "median.hpp"

namespace xbar::fit {
namespace {

/// Drops the gaps at the end of a curve: padding.
void trim(PulseCurve& curve) {
  while (!curve.siemens.empty() && std::isnan(curve.siemens.back())) {
    curve.siemens.pop_back();
    curve.up.pop_back();
  }
}

}  // namespace

PulseData read_columns(const TextTable& table) {
  const std::size_t first = table.has_heading() ? 1 : 0;
  constexpr std::size_t given = 2;  // pulse volt, read volt
  const std::size_t columns = table.width();
  if (columns <= given) {
    table.fail(table.rows.front(),
               fmt::format("expected pulse volt, read volt and a column of currents a device, "
                           "found {} columns",
                           columns));
  }
  PulseData data;
  for (std::size_t c = given; c < columns; ++c) {
    data.curves.push_back({fmt::to_string(c - 1), "1", {}, {}});
  }
  std::vector<double> volts[2];
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    const TextTable::Row& row = table.rows[r];
    const double pulse_volt = table.number(row, 0, "pulse volt");
    const double read_volt = table.number(row, 1, "read volt");
    if (pulse_volt == 0) table.fail(row, "pulse volt: expected a voltage other than 0, found 0");
    if (read_volt == 0) table.fail(row, "read volt: expected a voltage other than 0, found 0");
    const bool up = pulse_volt > 0;
    volts[up ? 1 : 0].push_back(std::abs(pulse_volt));
    for (std::size_t c = given; c < columns; ++c) {
      PulseCurve& curve = data.curves[c - given];
      curve.up.push_back(up);
      curve.siemens.push_back(table.number_or_gap(row, c, "current") / read_volt);
    }
  }
  for (PulseCurve& curve : data.curves) trim(curve);
  // Columns of blanks only.
  std::erase_if(data.curves, [](const PulseCurve& curve) { return curve.siemens.empty(); });
  data.up_volt = median(volts[1]);
  data.down_volt = median(volts[0]);
  return data;
}

PulseData read_ramps(const TextTable& table, const PulseLayoutOptions& options) {
  if (!(options.read_volt > 0)) {
    throw InvalidArgument(fmt::format(
        "read_volt: expected the voltage, > 0, at which the currents of {} were read, found {}",
        table.name, options.read_volt));
  }
  const std::size_t first = table.has_heading() ? 1 : 0;
  PulseData data;
  for (std::size_t c = 0; c < table.width(); ++c) {
    // One device is ramped again and again.
    PulseCurve curve{"1", fmt::format("{} {}", options.up ? "up" : "down", c + 1), {}, {}};
    for (std::size_t r = first; r < table.rows.size(); ++r) {
      curve.up.push_back(options.up);
      curve.siemens.push_back(table.number_or_gap(table.rows[r], c, "current") / options.read_volt);
    }
    trim(curve);
    if (!curve.siemens.empty()) data.curves.push_back(std::move(curve));
  }
  return data;
}

PulseData read_aihwkit(const TextTable& table, const PulseLayoutOptions& options) {
  if (!(options.low_siemens >= 0) || !(options.high_siemens > options.low_siemens)) {
    throw InvalidArgument(fmt::format(
        "low_siemens, high_siemens: expected the conductances that -1 and 1 of {} stand for, 0 <= "
        "low < high, found {} and {}: the layout has no unit",
        table.name, options.low_siemens, options.high_siemens));
  }
  const std::size_t first = table.has_heading() ? 1 : 0;
  PulseData data;
  data.curves = {{"1", "up", {}, {}}, {"1", "down", {}, {}}};
  const double half = (options.high_siemens - options.low_siemens) / 2;
  for (std::size_t r = first; r < table.rows.size(); ++r) {
    const TextTable::Row& row = table.rows[r];
    if (row.fields.size() != 2) {
      table.fail(row, fmt::format("expected 2 columns, an up and a down ramp, found {}",
                                  row.fields.size()));
    }
    for (std::size_t c = 0; c < 2; ++c) {
      data.curves[c].up.push_back(c == 0);
      data.curves[c].siemens.push_back(options.low_siemens +
                                       half * (1 + table.number_or_gap(row, c, "response")));
    }
  }
  for (PulseCurve& curve : data.curves) trim(curve);
  return data;
}

}  // namespace xbar::fit
