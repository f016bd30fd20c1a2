#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/pulse_data.hpp>

#include "pulse_layouts.hpp"

namespace xbar::fit {
namespace {

constexpr std::size_t fewest_readings = 10;

PulseData read_layout(const TextTable& table, const PulseLayoutOptions& options) {
  switch (options.layout) {
    case PulseLayout::columns:
      return read_columns(table);
    case PulseLayout::ramps:
      return read_ramps(table, options);
    case PulseLayout::aihwkit:
      return read_aihwkit(table, options);
    case PulseLayout::table:
      break;
  }
  return read_long(table);
}

void check(const PulseData& data) {
  if (data.readings() < fewest_readings) {
    throw IoError(fmt::format("{}: expected at least {} readings, found {}", data.name,
                              fewest_readings, data.readings()));
  }
  double low = INFINITY;
  double high = -INFINITY;
  for (const PulseCurve& curve : data.curves) {
    for (const double g : curve.siemens) {
      if (std::isnan(g)) continue;
      // A quotient of finite numbers may be neither.
      if (!std::isfinite(g) || g < 0) {
        throw IoError(fmt::format("{}: device {}, cycle {}: expected conductances >= 0, found {}",
                                  data.name, in_quotes(curve.device), in_quotes(curve.cycle), g));
      }
      low = std::min(low, g);
      high = std::max(high, g);
    }
  }
  if (!(high > low)) {
    throw IoError(
        fmt::format("{}: expected conductances that change, found {} S only", data.name, low));
  }
}

}  // namespace

std::size_t PulseData::readings() const {
  std::size_t count = 0;
  for (const PulseCurve& curve : curves) {
    for (const double g : curve.siemens) count += std::isnan(g) ? 0 : 1;
  }
  return count;
}

bool PulseData::has(bool up) const {
  return std::any_of(curves.begin(), curves.end(), [up](const PulseCurve& curve) {
    // What came before the first reading has left no trace.
    return !curve.up.empty() &&
           std::find(curve.up.begin() + 1, curve.up.end(), up) != curve.up.end();
  });
}

PulseLayout parse_pulse_layout(std::string_view name) {
  if (name == "long") return PulseLayout::table;
  if (name == "columns") return PulseLayout::columns;
  if (name == "ramps") return PulseLayout::ramps;
  if (name == "aihwkit") return PulseLayout::aihwkit;
  throw InvalidArgument(
      fmt::format("format: expected long, columns, ramps or aihwkit, found {}", in_quotes(name)));
}

PulseData parse_pulse_data(std::string_view text, const std::string& name,
                           const PulseLayoutOptions& options) {
  const TextTable table = split_table(text, name);
  if (table.rows.empty()) throw IoError(fmt::format("{}: expected readings, found none", name));
  PulseData data = read_layout(table, options);
  data.name = name;
  check(data);
  return data;
}

PulseData read_pulse_data(const std::filesystem::path& path, const PulseLayoutOptions& options) {
  return parse_pulse_data(read_file(path), path.string(), options);
}

PulseData join(std::vector<PulseData> parts) {
  PulseData all;
  for (PulseData& part : parts) {
    all.name += (all.name.empty() ? "" : ", ") + part.name;
    std::move(part.curves.begin(), part.curves.end(), std::back_inserter(all.curves));
    const auto take = [](double& mine, double theirs) {
      if (mine == 0) mine = theirs;
    };
    take(all.up_volt, part.up_volt);
    take(all.down_volt, part.down_volt);
    take(all.up_second, part.up_second);
    take(all.down_second, part.down_second);
  }
  return all;
}

}  // namespace xbar::fit
