#include <algorithm>
#include <array>
#include <cmath>

#include <xbar/core/random.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>
#include <xbar/validation/known_results.hpp>

namespace xbar::validation {
namespace {

using surrogate::CalibrationPoint;
using surrogate::ModelKind;

CalibrationPoint point(Index size, double on_ohm, const WireResistance& wires,
                       double on_off_ratio = 10) {
  CalibrationPoint p;
  p.rows = p.columns = size;
  p.on_ohm = on_ohm;
  p.on_off_ratio = on_off_ratio;
  p.wires = wires;
  return p;
}

constexpr WireResistance geniex{500, 100, 2.5, 2.5};
constexpr WireResistance bare{0, 0, 2.5, 2.5};

Losses losses(const CalibrationPoint& technology, Index arrays, std::uint64_t seed) {
  Losses result;
  result.lowest_ratio = 1;
  const double share = 1.0 / static_cast<double>(arrays);
  for (Index k = 0; k < arrays; ++k) {
    const Matrix g =
        surrogate::random_conductance(technology, seed + static_cast<std::uint64_t>(k));
    const Matrix exact = surrogate::effective_conductance(ModelKind::exact, g, technology.wires);
    const Eigen::ArrayXd loss =
        1 - exact.colwise().sum().transpose().array() / g.colwise().sum().transpose().array();
    const Matrix ratio = exact.cwiseQuotient(g);
    result.mean += share * loss.mean();
    result.first += share * loss(0);
    result.last += share * loss(loss.size() - 1);
    result.lowest_ratio = std::min(result.lowest_ratio, ratio.minCoeff());
    result.highest_ratio = std::max(result.highest_ratio, ratio.maxCoeff());
  }
  return result;
}

ColumnError column_error(ModelKind model, const CalibrationPoint& technology, Index arrays,
                         std::uint64_t seed) {
  constexpr Index inputs = 32;
  ColumnError error;
  for (Index k = 0; k < arrays; ++k) {
    const std::uint64_t array_seed = seed + static_cast<std::uint64_t>(k);
    const Matrix g = surrogate::random_conductance(technology, array_seed);
    const Matrix voltage =
        surrogate::random_sparse_inputs(technology.rows, inputs, array_seed, /*density=*/1);
    const auto current = [&](ModelKind kind) -> Matrix {
      return surrogate::effective_conductance(kind, g, technology.wires).transpose() * voltage;
    };
    const Matrix exact = current(ModelKind::exact);
    const Matrix deviation = (current(model) - exact).cwiseQuotient(exact).cwiseAbs();
    error.mean += deviation.mean() / static_cast<double>(arrays);
    error.worst = std::max(error.worst, deviation.maxCoeff());
  }
  return error;
}

}  // namespace

std::vector<LossRow> reference_losses(Index arrays, std::uint64_t seed) {
  std::vector<LossRow> rows = {
      {point(16, 100e3, geniex), {0.0540, 0.0535, 0.0567, 0.939, 0.957}, {}},
      {point(32, 100e3, geniex), {0.1044, 0.0994, 0.1094, 0.880, 0.919}, {}},
      {point(64, 100e3, geniex), {0.2004, 0.187, 0.207, 0.767, 0.846}, {}},
      {point(64, 100e3, bare), {0.0358, 0.0181, 0.0450, 0.943, 1.000}, {}},
      {point(64, 100e3, {0, 0, 2, 2}), {0.0288, 0.0146, 0.0363, 0.954, 1.000}, {}},
      {point(64, 20e3, {1e3, 1e3, 5, 10}), {0.804, 0.792, 0.807, 0.132, 0.621}, {}},
      {point(64, 300e3, geniex, 6), {0.0813, 0.0756, 0.0840, 0.906, 0.932}, {}},
      {point(128, 100e3, geniex), {0.363, 0.323, 0.382, 0.571, 0.769}, {}},
  };
  for (LossRow& row : rows) row.found = losses(row.point, arrays, seed);
  return rows;
}

std::vector<ClosedFormRow> closed_form_errors(Index arrays, std::uint64_t seed) {
  std::vector<ClosedFormRow> rows = {
      {ModelKind::closed_form, point(16, 100e3, geniex), 0.0001, 0.0003, {}},
      {ModelKind::closed_form, point(32, 100e3, geniex), 0.0002, 0.0009, {}},
      {ModelKind::closed_form, point(64, 100e3, geniex), 0.0011, 0.0033, {}},
      {ModelKind::closed_form, point(128, 100e3, geniex), 0.006, 0.016, {}},
      {ModelKind::closed_form, point(64, 20e3, geniex), 0.013, 0.037, {}},
      {ModelKind::dmr, point(64, 100e3, bare), 0.0018, {}, {}},
  };
  for (ClosedFormRow& row : rows) row.found = column_error(row.model, row.point, arrays, seed);
  return rows;
}

std::vector<CalibrationPoint> rxnn_points() {
  std::vector<CalibrationPoint> points;
  for (const Index size : {16, 32, 64}) {
    points.push_back(point(size, 20e3, {100, 100, 2.82, 2.82}));
    points.push_back(point(size, 20e3, {1e3, 1e3, 5, 10}));
  }
  return points;
}

}  // namespace xbar::validation
