#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/cycling_fit.hpp>

#include "text_table.hpp"

namespace xbar::fit {
namespace {

constexpr Index fewest = 2;  // cells and cycles: of one nothing spreads

/// Cells may have any name: whether the second field is no number.
bool names_columns(const TextTable& table) {
  if (table.rows.empty() || table.rows.front().fields.size() < 2) return false;
  const std::string_view field = table.rows.front().fields[1];
  return !field.empty() && std::string_view("+-.0123456789").find(field.front()) == field.npos;
}

CyclingState state_of(const std::string& name, const Matrix& siemens) {
  const auto cells = static_cast<double>(siemens.rows());
  const auto cycles = static_cast<double>(siemens.cols());
  const Vector means = siemens.rowwise().mean();
  const double mean = means.mean();
  const double within = (siemens.colwise() - means).squaredNorm() / (cells * (cycles - 1));
  const double between = (means.array() - mean).square().sum() / (cells - 1);
  CyclingState state;
  state.mean = make_estimate(name, "S", mean, between / cells, cells - 1);
  state.cell_sigma = std::sqrt(std::max(0.0, between - within / cycles));
  state.cycle_sigma = std::sqrt(within);
  std::vector<double> sorted(siemens.data(), siemens.data() + siemens.size());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t tenth = sorted.size() / 10;
  state.low_siemens = sorted[tenth];
  state.high_siemens = sorted[sorted.size() - 1 - tenth];
  state.cells.assign(means.begin(), means.end());
  return state;
}

}  // namespace

CyclingData parse_cycling_data(std::string_view text, const std::string& name) {
  const TextTable table = split_table(text, name);
  const std::size_t first = names_columns(table) ? 1 : 0;
  const std::size_t width = table.width();
  const auto cells = static_cast<Index>(table.rows.size() - std::min(first, table.rows.size()));
  const auto cycles = width < 1 ? 0 : static_cast<Index>((width - 1) / 2);
  if (cells < fewest || cycles < fewest) {
    throw IoError(
        fmt::format("{}: expected at least {} cells, a row each, and {} cycles of two "
                    "columns after the name, found {} and {}",
                    name, fewest, fewest, cells, cycles));
  }
  CyclingData data{name, {}, Matrix(cells, cycles), Matrix(cells, cycles)};
  for (Index c = 0; c < cells; ++c) {
    const TextTable::Row& row = table.rows[first + static_cast<std::size_t>(c)];
    if (row.fields.size() != width || width % 2 == 0) {
      table.fail(row, fmt::format("expected a name and {} pairs of ohm after RESET and after SET, "
                                  "found {} columns",
                                  cycles, row.fields.size()));
    }
    data.cells.emplace_back(row.fields.front());
    for (Index k = 0; k < 2 * cycles; ++k) {
      const double ohm = table.number(row, static_cast<std::size_t>(k) + 1, "ohm");
      if (!(ohm > 0)) table.fail(row, fmt::format("ohm: expected > 0, found {}", ohm));
      (k % 2 == 0 ? data.off_siemens : data.on_siemens)(c, k / 2) = 1 / ohm;
    }
  }
  return data;
}

CyclingData read_cycling_data(const std::filesystem::path& path) {
  return parse_cycling_data(read_file(path), path.string());
}

CyclingFit fit_cycling(const CyclingData& data) {
  CyclingFit fit;
  fit.off = state_of("g_min", data.off_siemens);
  fit.on = state_of("g_max", data.on_siemens);
  fit.cycles = static_cast<std::size_t>(data.on_siemens.cols());
  const double width = fit.on.mean.value - fit.off.mean.value;
  if (!(width > 0)) {
    throw IoError(
        fmt::format("{}: expected cells that conduct more after SET than after RESET, "
                    "found means of {} S and {} S",
                    data.name, fit.on.mean.value, fit.off.mean.value));
  }
  const double middle = (fit.on.mean.value + fit.off.mean.value) / 2;
  const auto wrong =
      (data.on_siemens.array() < middle).count() + (data.off_siemens.array() > middle).count();
  fit.failures = static_cast<double>(wrong) / static_cast<double>(2 * data.on_siemens.size());
  device::PulseDevice& device = fit.device;
  device.name = "fitted";
  device.description = "two states, from SETs and RESETs in turn";
  device.source = data.name;
  device.g_min_siemens = fit.off.mean.value;
  device.g_max_siemens = fit.on.mean.value;
  device.parameters = {{"up_step", 1}, {"down_step", 1}};
  device.model = device::make_pulse_model("linear", device.parameters);
  const auto share = [&](double sigma) { return std::min(1.0, sigma / width); };
  device.spread.lower = share(fit.off.cell_sigma);
  device.spread.upper = share(fit.on.cell_sigma);
  device.noise.write = share(std::hypot(fit.off.cycle_sigma, fit.on.cycle_sigma) / std::sqrt(2.0));
  device::check_pulse_device(device);
  return fit;
}

}  // namespace xbar::fit
