#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>
#include <xbar/validation/update_study.hpp>

namespace xbar::validation {
namespace {

using surrogate::CalibrationPoint;
using surrogate::CurrentError;
using surrogate::MeasureOptions;
using surrogate::ModelKind;
using surrogate::WeightDistribution;

constexpr std::array updates{Update::none, Update::random, Update::up, Update::down};

Matrix updated(const CalibrationPoint& point, const Matrix& conductance, Update update,
               const MeasureOptions& options, std::uint64_t seed) {
  if (update == Update::none) return conductance;
  const device::ConductanceRange range =
      device::conductance_range(point.on_ohm, point.on_off_ratio);
  const RandomStream stream(seed, "study-update");
  const double step = options.update_share * range.width();
  Matrix after = conductance;
  for (Index e = 0; e < after.size(); ++e) {
    const bool up = update == Update::up || (update == Update::random &&
                                             stream.below(static_cast<std::uint64_t>(e), 2) == 1);
    double& cell = after.data()[e];
    cell = std::clamp(up ? cell + step : cell - step, range.g_min, range.g_max);
  }
  return after;
}

/// Every update of one array; [update][model].
std::vector<std::vector<CurrentError>> of_array(const CalibrationPoint& point,
                                                std::span<const ModelKind> models,
                                                const MeasureOptions& options, Index array) {
  const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(array);
  const Matrix before = surrogate::random_conductance(point, seed);
  const Matrix inputs =
      surrogate::random_sparse_inputs(point.rows, options.inputs, seed, point.density);
  const surrogate::TileBatch batch{1, point.rows, point.columns};
  const auto size = static_cast<std::size_t>(batch.size());
  std::vector<std::unique_ptr<surrogate::EffectiveModel<double>>> members;
  for (const ModelKind model : models) {
    members.push_back(surrogate::make_model<double>(model, point.wires));
    members.back()->refresh(batch, {before.data(), size});
  }
  std::vector<std::vector<CurrentError>> errors;
  for (const Update update : updates) {
    const Matrix after = updated(point, before, update, options, seed);
    const Matrix exact = surrogate::effective_conductance(ModelKind::exact, after, point.wires);
    Matrix effective(point.rows, point.columns);
    errors.emplace_back();
    for (const auto& member : members) {
      member->effective(batch, {after.data(), size}, {effective.data(), size});
      errors.back().push_back(surrogate::current_error(effective, exact, inputs));
    }
  }
  return errors;
}

}  // namespace

std::string_view update_name(Update update) {
  constexpr std::array<std::string_view, 4> names{"none", "random", "up", "down"};
  return names[static_cast<std::size_t>(update)];
}

std::vector<UpdateRow> update_study(const CalibrationPoint& point,
                                    std::span<const ModelKind> models,
                                    const MeasureOptions& options) {
  surrogate::check_calibration_point(point);
  if (point.sinh_alpha != 0) {
    throw InvalidArgument(
        fmt::format("sinh_alpha: expected 0 in an update study, got {}", point.sinh_alpha));
  }
  if (options.arrays < 1 || options.inputs < 1) {
    throw InvalidArgument(
        fmt::format("update study: expected at least one array and one input, got {}, {}",
                    options.arrays, options.inputs));
  }
  const auto arrays = static_cast<std::size_t>(options.arrays);
  std::vector<std::vector<std::vector<CurrentError>>> errors(arrays);
  parallel_for(options.arrays, [&](Index k) {
    errors[static_cast<std::size_t>(k)] = of_array(point, models, options, k);
  });
  std::vector<UpdateRow> rows;
  const auto share = 1.0 / static_cast<double>(options.arrays);
  for (std::size_t u = 0; u < updates.size(); ++u) {
    for (std::size_t s = 0; s < models.size(); ++s) {
      UpdateRow row{point, models[s], updates[u], {}};
      for (const auto& array : errors) {
        const CurrentError& error = array[u][s];
        row.error.relative += share * error.relative * error.relative;
        row.error.mean += share * error.mean;
        row.error.worst = std::max(row.error.worst, error.worst);
      }
      row.error.relative = std::sqrt(row.error.relative);
      rows.push_back(row);
    }
  }
  return rows;
}

std::span<const StatedLimit> stated_limits() {
  using enum WeightDistribution;
  static constexpr std::array<StatedLimit, 10> limits{{
      {20e3, uniform, Update::none, 0.25e-2},
      {20e3, clustered, Update::none, 0.05e-2},
      {100e3, uniform, Update::none, 0.012e-2},
      {100e3, clustered, Update::none, 0.003e-2},
      {20e3, uniform, Update::random, 0.4e-2},
      {20e3, clustered, Update::random, 0.1e-2},
      {20e3, uniform, Update::up, 0.4e-2},
      {20e3, clustered, Update::up, 0.1e-2},
      {20e3, uniform, Update::down, 0.4e-2},
      {20e3, clustered, Update::down, 0.1e-2},
  }};
  return limits;
}

}  // namespace xbar::validation
