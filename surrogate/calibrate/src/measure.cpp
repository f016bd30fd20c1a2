#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

#include "member_cost.hpp"

namespace xbar::surrogate {
namespace {

/// Sums over the input vectors of one array, an entry a bitline: what the least squares need. With
/// d = I - I_exact, in units of the norm of I_exact, so that all arrays count alike.
struct Moments {
  Eigen::ArrayXd deviation;  ///< d^2
  Eigen::ArrayXd product;    ///< d I_exact
  Eigen::ArrayXd exact;      ///< I_exact^2

  [[nodiscard]] Eigen::ArrayXd model() const { return deviation + 2 * product + exact; }  // I^2
  [[nodiscard]] Eigen::ArrayXd cross() const { return product + exact; }  // I I_exact

  /// Squares left over with the bitlines' currents multiplied by `gain`:
  /// gain I - I_exact = gain d + (gain - 1) I_exact.
  [[nodiscard]] double left_over(const Eigen::ArrayXd& gain) const {
    const Eigen::ArrayXd excess = gain - 1;
    return (gain.square() * deviation + 2 * gain * excess * product + excess.square() * exact)
        .sum();
  }
};

/// One member at one array.
struct Sample {
  bool driven = false;             ///< whether any current flowed
  std::vector<double> deviations;  ///< largest of each input vector, as CurrentError::mean
  Moments moments;
};

Sample compare(const Matrix& current, const Matrix& exact) {
  Sample sample;
  const double scale = exact.norm();
  if (!(scale > 0)) return sample;
  sample.driven = true;
  const Matrix difference = current - exact;
  for (Index k = 0; k < exact.cols(); ++k) {
    const double largest = exact.col(k).cwiseAbs().maxCoeff();
    if (largest > 0) {
      sample.deviations.push_back(difference.col(k).cwiseAbs().maxCoeff() / largest);
    }
  }
  const double unit = 1 / (scale * scale);
  sample.moments = {unit * difference.array().square().rowwise().sum(),
                    unit * (difference.array() * exact.array()).rowwise().sum(),
                    unit * exact.array().square().rowwise().sum()};
  return sample;
}

Measurement summarize(ModelKind kind, const std::vector<Sample>& samples) {
  Measurement result;
  result.model = kind;
  std::vector<double> deviations;
  std::vector<const Moments*> arrays;
  for (const Sample& sample : samples) {
    if (!sample.driven) continue;
    deviations.insert(deviations.end(), sample.deviations.begin(), sample.deviations.end());
    arrays.push_back(&sample.moments);
  }
  if (arrays.empty()) return result;

  std::sort(deviations.begin(), deviations.end());
  for (const double share : deviations) result.mean_error += share;
  const auto count = static_cast<double>(deviations.size());
  result.mean_error /= count;
  result.p99_error = deviations[static_cast<std::size_t>(std::ceil(0.99 * count)) - 1];
  result.worst_error = deviations.back();

  const Index columns = arrays.front()->exact.size();
  Eigen::ArrayXd model = Eigen::ArrayXd::Zero(columns);
  Eigen::ArrayXd cross = model;
  for (const Moments* array : arrays) {
    model += array->model();
    cross += array->cross();
  }
  // A bitline without current keeps its factor of 1.
  const Eigen::ArrayXd column_gain = (model > 0).select(cross / model, 1.0);
  result.gain = model.sum() > 0 ? cross.sum() / model.sum() : 1;
  result.first_column_gain = column_gain(0);
  result.last_column_gain = column_gain(columns - 1);
  const auto error = [&arrays](const Eigen::ArrayXd& gain) {
    double squares = 0;
    for (const Moments* array : arrays) squares += array->left_over(gain);
    return std::sqrt(std::max(0.0, squares) / static_cast<double>(arrays.size()));
  };
  result.relative_error = error(Eigen::ArrayXd::Ones(columns));
  result.relative_error_after_gain = error(Eigen::ArrayXd::Constant(columns, result.gain));
  result.relative_error_after_column_gain = error(column_gain);
  return result;
}

/// The array before its last update: every cell `share` of the range away, within the range.
Matrix before_update(const CalibrationPoint& point, const Matrix& conductance, double share,
                     std::uint64_t seed) {
  const device::ConductanceRange range =
      device::conductance_range(point.on_ohm, point.on_off_ratio);
  const RandomStream stream(seed, "calibration-update");
  Matrix before = conductance;
  for (Index e = 0; e < before.size(); ++e) {
    double step = share * range.width();
    if (stream.uniform(static_cast<std::uint64_t>(e)) < 0.5) step = -step;
    double& cell = before.data()[e];
    const bool leaves = cell + step < range.g_min || cell + step > range.g_max;
    cell = std::max(0.0, leaves ? cell - step : cell + step);
  }
  return before;
}

Matrix effective(ModelKind kind, const CalibrationPoint& point, const Matrix& conductance,
                 const MeasureOptions& options, std::uint64_t seed) {
  const ModelInfo& info = model_info(kind);
  if (!info.measures || !info.needs_exact) {
    return effective_conductance(kind, conductance, point.wires);
  }
  const auto model = make_model<double>(kind, point.wires);
  const TileBatch batch{1, conductance.rows(), conductance.cols()};
  const auto size = static_cast<std::size_t>(conductance.size());
  const Matrix before = before_update(point, conductance, options.update_share, seed);
  Matrix out(conductance.rows(), conductance.cols());
  model->refresh(batch, {before.data(), size});
  model->effective(batch, {conductance.data(), size}, {out.data(), size});
  return out;
}

Matrix exact_current(const CalibrationPoint& point, const Matrix& conductance,
                     const Matrix& voltage) {
  if (point.sinh_alpha == 0) {
    return effective_conductance(ModelKind::exact, conductance, point.wires).transpose() * voltage;
  }
  device::CellSettings settings;
  settings.parameters["sinh_alpha"] = point.sinh_alpha;
  const auto cells = device::make_cell_model("sinh", settings);
  return solver::solve_newton(solver::make_circuit(conductance, point.wires), *cells, {voltage, {}})
      .current;
}

}  // namespace

void check_measure_options(const MeasureOptions& options) {
  const auto check_count = [](const char* field, Index count) {
    if (count < 1)
      throw InvalidArgument(fmt::format("{}: expected at least 1, got {}", field, count));
  };
  check_count("arrays", options.arrays);
  check_count("inputs", options.inputs);
  if (!(options.update_share >= 0 && options.update_share <= 0.5)) {
    throw InvalidArgument(
        fmt::format("update-share: expected 0 to 0.5, got {}", options.update_share));
  }
}

std::vector<Measurement> measure(const CalibrationPoint& point, std::span<const ModelKind> models,
                                 const MeasureOptions& options) {
  check_calibration_point(point);
  check_measure_options(options);
  std::vector<Matrix> arrays;
  for (Index k = 0; k < options.arrays; ++k) {
    arrays.push_back(random_conductance(point, options.seed + static_cast<std::uint64_t>(k)));
  }
  return measure(point, arrays, models, options);
}

std::vector<Measurement> measure(const CalibrationPoint& point, std::span<const Matrix> arrays,
                                 std::span<const ModelKind> models, const MeasureOptions& options) {
  check_calibration_point(point);
  check_measure_options(options);
  if (arrays.empty()) throw InvalidArgument("arrays: expected at least one, got none");
  for (const Matrix& array : arrays) {
    if (array.rows() != point.rows || array.cols() != point.columns) {
      throw InvalidArgument(fmt::format("arrays: expected {} x {} like the point, got {} x {}",
                                        point.rows, point.columns, array.rows(), array.cols()));
    }
  }
  std::vector<std::vector<Sample>> samples(models.size(), std::vector<Sample>(arrays.size()));
  parallel_for(static_cast<Index>(arrays.size()), [&](Index k) {
    const auto a = static_cast<std::size_t>(k);
    const std::uint64_t seed = options.seed + a;
    const Matrix voltage =
        point.input_volt * random_sparse_inputs(point.rows, options.inputs, seed, point.density);
    const Matrix exact = exact_current(point, arrays[a], voltage);
    for (std::size_t s = 0; s < models.size(); ++s) {
      const Matrix model = effective(models[s], point, arrays[a], options, seed);
      samples[s][a] = compare(model.transpose() * voltage, exact);
    }
  });
  std::vector<Measurement> result;
  for (std::size_t s = 0; s < models.size(); ++s) {
    result.push_back(summarize(models[s], samples[s]));
    // One after the other and alone: others at work would show in the times.
    const MemberCost cost = member_cost(models[s], arrays.front(), point.wires);
    result.back().refresh_seconds = cost.refresh_seconds;
    result.back().effective_seconds = cost.effective_seconds;
  }
  return result;
}

}  // namespace xbar::surrogate
