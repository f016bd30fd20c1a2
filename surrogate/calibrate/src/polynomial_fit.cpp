#include <algorithm>
#include <cmath>
#include <vector>

#include <Eigen/QR>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/polynomial_fit.hpp>

namespace xbar::surrogate {
namespace {

constexpr double max_cell_error = 0.05;
constexpr Index min_fit_inputs = 12;  // four for each fitted number of a bitline

struct CubicCells {
  Matrix linear;  // g1
  Matrix cubic;   // g3
  double error = 0;
};

// Slope at 0, and least squares for the cube at voltages of both signs.
CubicCells cubic_cells(const Matrix& conductance, const device::CellModel& cells, double volt) {
  CubicCells result;
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  Matrix current;
  Matrix slope;
  cells.evaluate(conductance, Matrix::Zero(m, n), current, result.linear);
  std::vector<double> voltages;
  for (const double share : {0.25, 0.5, 0.75, 1.0}) {
    voltages.insert(voltages.end(), {-share * volt, share * volt});
  }
  std::vector<Matrix> currents;
  result.cubic = Matrix::Zero(m, n);
  double sixth = 0;
  for (const double v : voltages) {
    cells.evaluate(conductance, Matrix::Constant(m, n, v), current, slope);
    result.cubic += std::pow(v, 3) * (current - v * result.linear);
    sixth += std::pow(v, 6);
    currents.push_back(current);
  }
  result.cubic /= sixth;
  for (std::size_t s = 0; s < voltages.size(); ++s) {
    const double v = voltages[s];
    for (Index i = 0; i < m; ++i) {
      for (Index j = 0; j < n; ++j) {
        const double scale = std::max(std::abs(currents.back()(i, j)),
                                      std::abs(currents[voltages.size() - 2](i, j)));
        if (scale == 0) continue;
        const double found = currents[s](i, j);
        const double cubic = result.linear(i, j) * v + result.cubic(i, j) * v * v * v;
        const double error = std::abs(found - cubic) / scale;
        result.error = std::max(result.error, error);
        if (error <= max_cell_error) continue;
        throw InvalidArgument(fmt::format(
            "cells: expected currents that a slope at 0 and a cube describe within {:.0f} % up to "
            "{:.4g} V, got {:.4g} A in place of {:.4g} A at {:.4g} V in cell ({}, {})",
            100 * max_cell_error, volt, found, cubic, v, i, j));
      }
    }
  }
  return result;
}

// What the cells' cubes bring to the sinks, before it is fitted: m x n.
Matrix cubic_at_sinks(const CubicCells& cells, const WireResistance& wires) {
  const Index m = cells.linear.rows();
  const Index n = cells.linear.cols();
  const solver::Circuit circuit = solver::make_circuit(cells.linear, wires);
  solver::SolveOptions options;
  options.node_voltages = true;
  Matrix source = cells.cubic;
  {
    const solver::SolveResult forward =
        solver::solve(circuit, {Matrix::Identity(m, m), Matrix::Zero(n, m)}, options);
    for (Index k = 0; k < m; ++k) {
      const solver::NodeVoltages& nodes = forward.nodes[static_cast<std::size_t>(k)];
      source.row(k).array() *= (nodes.wordline.row(k) - nodes.bitline.row(k)).array().cube();
    }
  }
  const solver::SolveResult adjoint =
      solver::solve(circuit, {Matrix::Zero(m, n), Matrix::Identity(n, n)}, options);
  Matrix result(m, n);
  for (Index j = 0; j < n; ++j) {
    const solver::NodeVoltages& nodes = adjoint.nodes[static_cast<std::size_t>(j)];
    result.col(j) = (nodes.bitline - nodes.wordline).cwiseProduct(source).rowwise().sum();
  }
  return result;
}

// Sets the fitted numbers: exact - linear part = gain cubic + own S linear + mean S Q.
void fit_columns(const Matrix& inputs, const Matrix& exact,
                 PolynomialSurrogate<double>& surrogate) {
  const Matrix linear = surrogate.linear.transpose() * inputs;
  const Matrix cubic = surrogate.cubic.transpose() * inputs.array().cube().matrix();
  const Vector power = inputs.array().square().colwise().sum().transpose();
  const Vector powered_sum = power.cwiseProduct(inputs.colwise().sum().transpose());
  for (Index j = 0; j < exact.rows(); ++j) {
    Eigen::MatrixXd terms(inputs.cols(), 3);
    terms.col(0) = cubic.row(j);
    terms.col(1) = linear.row(j).transpose().cwiseProduct(power);
    terms.col(2) = powered_sum;
    const Eigen::RowVectorXd size = terms.colwise().norm().cwiseMax(1e-300);
    terms.array().rowwise() /= size.array();
    const Vector weights =
        terms.colPivHouseholderQr().solve(Vector((exact.row(j) - linear.row(j)).transpose()));
    surrogate.cubic.col(j) *= weights(0) / size(0);
    surrogate.own(j) = weights(1) / size(1);
    surrogate.mean(j) = weights(2) / size(2);
  }
}

void check_inputs(const char* what, const Matrix& inputs, Index rows, Index least) {
  if (inputs.rows() != rows || inputs.cols() < least) {
    throw InvalidArgument(fmt::format("{}: expected {} rows and at least {} columns, got {} x {}",
                                      what, rows, least, inputs.rows(), inputs.cols()));
  }
  if (!inputs.allFinite()) {
    throw InvalidArgument(fmt::format("{}: expected finite voltages, got one that is not", what));
  }
}

}  // namespace

PolynomialFit fit_polynomial(const Matrix& conductance, const device::CellModel& cells,
                             const WireResistance& wires, const Matrix& fit_inputs,
                             const Matrix& held_out) {
  solver::check_conductance(conductance);
  check_wires(wires);
  check_inputs("fit_inputs", fit_inputs, conductance.rows(), min_fit_inputs);
  check_inputs("held_out", held_out, conductance.rows(), 1);
  const double volt = fit_inputs.cwiseAbs().maxCoeff();
  if (volt == 0) {
    throw InvalidArgument("fit_inputs: expected a voltage that is not 0, got only zeros");
  }
  const Index n = conductance.cols();
  const CubicCells cubic = cubic_cells(conductance, cells, volt);
  PolynomialFit result;
  result.cell_error = cubic.error;
  result.surrogate = {solver::effective_conductance(cubic.linear, wires), cubic.cubic,
                      Vector::Zero(n), Vector::Zero(n)};
  const solver::Circuit circuit = solver::make_circuit(conductance, wires);
  if (!cubic.cubic.isZero(0)) {
    result.surrogate.cubic = cubic_at_sinks(cubic, wires);
    fit_columns(fit_inputs, solver::solve_newton(circuit, cells, {fit_inputs, {}}).current,
                result.surrogate);
  }
  const Matrix exact = solver::solve_newton(circuit, cells, {held_out, {}}).current;
  result.error = current_error(result.surrogate.current(held_out), exact);
  result.linear_error = current_error(result.surrogate.linear.transpose() * held_out, exact);
  return result;
}

}  // namespace xbar::surrogate
