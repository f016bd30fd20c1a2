#include <algorithm>
#include <cmath>

#include <ceres/ceres.h>
#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/fit/distribution_fit.hpp>

#include "least_squares.hpp"
#include "shapes.hpp"
#include "thinned_table.hpp"

namespace xbar::fit {
namespace {

Matrix read_numbers(const std::filesystem::path& path) {
  if (path.extension() == ".txt") return parse_csv(read_file(path), path.string()).values;
  return read_array(path).values;
}

std::vector<double> read_list(const std::filesystem::path& path) {
  const Matrix values = read_numbers(path);
  if (values.rows() != 1 && values.cols() != 1) {
    throw IoError(fmt::format("{}: expected a list of numbers, found {} x {}", path.string(),
                              values.rows(), values.cols()));
  }
  return {values.data(), values.data() + values.size()};
}

void add_curves(const StepDistribution& table, const std::string& direction,
                device::PulseDevice& device) {
  const auto column = [](const std::vector<double>& values) -> Matrix {
    return Eigen::Map<const Vector>(values.data(), static_cast<Index>(values.size()));
  };
  device.curves[direction + "_conductance_siemens"] = column(table.conductance_siemens);
  device.curves[direction + "_step_siemens"] = column(table.change_siemens);
  device.curves[direction + "_cumulative"] = table.cumulative;
}

device::PulseDevice table_device(const StepDistribution& up, const StepDistribution& down) {
  device::PulseDevice device;
  device.name = "fitted";
  device.description = "steps drawn from measured distributions";
  device.source = up.name + ", " + down.name;
  device.g_min_siemens = up.conductance_siemens.front();
  device.g_max_siemens = up.conductance_siemens.back();
  add_curves(up, "up", device);
  add_curves(down, "down", device);
  device.model = device::make_pulse_model("table", {}, device.curves, device.range());
  device::check_pulse_device(device);
  return device;
}

/// The steps of a shape less those of the table, at the table's rows.
struct StepCost {
  const Shape& shape;
  const device::PulseModel& table;
  int rows;

  bool operator()(double const* const* blocks, double* residuals) const {
    std::vector<double> values(blocks[0], blocks[0] + shape.free.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = std::clamp(values[k], shape.free[k].lowest, shape.free[k].highest);
    }
    const auto model = shape.make(values);
    for (int i = 0; i < rows; ++i) {
      const double x = i / (rows - 1.0);
      *residuals++ = model->up_step(x) - table.up_step(x);
      *residuals++ = model->down_step(x) - table.down_step(x);
    }
    return true;
  }
};

NearestModel fit_nearest(const Shape& shape, const device::PulseModel& table, int rows,
                         std::shared_ptr<const device::PulseModel>& model) {
  double square = 0;
  for (int i = 0; i < rows; ++i) {
    const double x = i / (rows - 1.0);
    square += table.up_step(x) * table.up_step(x) + table.down_step(x) * table.down_step(x);
  }
  NearestModel nearest{shape.name, {}, std::numeric_limits<double>::infinity()};
  for (std::vector<double> values : shape.starts) {
    auto* function = new ceres::DynamicNumericDiffCostFunction<StepCost, ceres::CENTRAL>(
        new StepCost{shape, table, rows});
    function->AddParameterBlock(static_cast<int>(values.size()));
    function->SetNumResiduals(2 * rows);
    ceres::Problem problem;
    problem.AddResidualBlock(function, nullptr, values.data());
    for (std::size_t k = 0; k < values.size(); ++k) {
      problem.SetParameterLowerBound(values.data(), static_cast<int>(k), shape.free[k].lowest);
      problem.SetParameterUpperBound(values.data(), static_cast<int>(k), shape.free[k].highest);
    }
    ceres::Solver::Options options;
    options.linear_solver_type = ceres::DENSE_QR;
    options.max_num_iterations = 200;
    const ceres::Solver::Summary summary = fit::solve(options, problem);
    const double rms = std::sqrt(2 * summary.final_cost / square);
    if (!summary.IsSolutionUsable() || !(rms < nearest.rms)) continue;
    nearest.rms = rms;
    nearest.parameters.clear();
    for (std::size_t k = 0; k < values.size(); ++k) {
      nearest.parameters.push_back(
          {shape.free[k].name, shape.free[k].unit, values[k], std::nan(""), std::nan("")});
    }
    model = shape.make(values);
  }
  return nearest;
}

std::vector<StepBand> make_bands(const StepDistribution& table, bool up,
                                 const device::PulseModel& means, const device::PulseModel& model,
                                 double width) {
  std::vector<StepBand> bands;
  const std::size_t rows = table.conductance_siemens.size();
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = static_cast<double>(i) / static_cast<double>(rows - 1);
    constexpr double lower = 0.1;
    constexpr double upper = 0.9;
    const auto row = static_cast<Index>(i);
    bands.push_back({up, table.conductance_siemens[i],
                     width * (up ? means.up_step(x) : -means.down_step(x)),
                     quantile(table, row, lower), quantile(table, row, upper),
                     width * (up ? model.up_step(x) : -model.down_step(x))});
  }
  return bands;
}

}  // namespace

StepDistribution read_step_distribution(const std::filesystem::path& conductance,
                                        const std::filesystem::path& change,
                                        const std::filesystem::path& cumulative) {
  StepDistribution table{cumulative.string(), read_list(conductance), read_list(change),
                         read_numbers(cumulative)};
  if (table.cumulative.rows() != static_cast<Index>(table.conductance_siemens.size()) ||
      table.cumulative.cols() != static_cast<Index>(table.change_siemens.size())) {
    throw IoError(
        fmt::format("{}: expected {} x {} probabilities, a row a conductance and a "
                    "column a change, found {} x {}",
                    table.name, table.conductance_siemens.size(), table.change_siemens.size(),
                    table.cumulative.rows(), table.cumulative.cols()));
  }
  return table;
}

DistributionFit fit_distributions(const StepDistribution& up, const StepDistribution& down,
                                  double tolerance) {
  if (!(tolerance >= 1e-4 && tolerance <= 0.1)) {
    throw InvalidArgument(fmt::format("tolerance: expected 1e-4 to 0.1, found {}", tolerance));
  }
  const device::PulseDevice full = table_device(up, down);  // refuses what is no distribution
  const StepDistribution thin_up = thinned(up, tolerance);
  const StepDistribution thin_down = thinned(down, tolerance);
  DistributionFit fit;
  fit.device = table_device(thin_up, thin_down);
  fit.rows = std::max(thin_up.cumulative.rows(), thin_down.cumulative.rows());
  fit.columns = std::max(thin_up.cumulative.cols(), thin_down.cumulative.cols());
  fit.thinning_error = std::max(thinning_error(up, thin_up), thinning_error(down, thin_down));
  Facts facts;
  facts.up_step = std::max(1e-3, full.model->up_step(0.5));
  facts.down_step = std::max(1e-3, full.model->down_step(0.5));
  facts.up_pulses = static_cast<int>(std::lround(1 / facts.up_step));
  facts.down_pulses = static_cast<int>(std::lround(1 / facts.down_step));
  facts.range_given = true;
  std::shared_ptr<const device::PulseModel> best;
  for (const Shape& shape : make_shapes({}, facts)) {
    std::shared_ptr<const device::PulseModel> model;
    fit.nearest.push_back(
        fit_nearest(shape, *full.model, static_cast<int>(up.conductance_siemens.size()), model));
    if (best == nullptr || fit.nearest.back().rms < fit.nearest[fit.best].rms) {
      fit.best = fit.nearest.size() - 1;
      best = model;
    }
  }
  if (best == nullptr) throw NumericalError("fit: no step of the least squares succeeds");
  const double width = full.range().width();
  fit.bands = make_bands(up, true, *full.model, *best, width);
  const auto downs = make_bands(down, false, *full.model, *best, width);
  fit.bands.insert(fit.bands.end(), downs.begin(), downs.end());
  return fit;
}

}  // namespace xbar::fit
