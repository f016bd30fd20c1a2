#include <memory>
#include <utility>

#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/exact_write_path.hpp>

namespace xbar::surrogate {
namespace {

/// u - w of every cell for given terminal voltages.
class Array {
 public:
  Array(const Matrix& conductance, const WireResistance& wires)
      : solver_(solver::make_array_solver(solver::SolveMethod::direct)) {
    solver_->factor(solver::make_circuit(conductance, wires));
    options_.method = solver::SolveMethod::direct;
    options_.node_voltages = true;
  }

  Matrix voltage(const Matrix& wordlines, const Matrix& bitlines) {
    const solver::NodeVoltages nodes =
        std::move(solver_->solve({wordlines, bitlines}, options_).nodes.front());
    return nodes.wordline - nodes.bitline;
  }

 private:
  std::unique_ptr<solver::ArraySolver> solver_;
  solver::SolveOptions options_;
};

}  // namespace

WritePath exact_write_path(const Matrix& conductance, const WireResistance& wires,
                           WriteScheme scheme) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  WritePath path{Matrix(m, n), Matrix::Zero(m, n)};
  const Matrix ground = Matrix::Zero(n, 1);
  if (scheme == WriteScheme::one_transistor) {
    for (Index i = 0; i < m; ++i) {
      Matrix alone = Matrix::Zero(m, n);
      alone.row(i) = conductance.row(i);
      path.selected.row(i) =
          Array(alone, wires).voltage(Matrix::Identity(m, m).col(i), ground).row(i);
    }
    return path;
  }
  const double share = scheme == WriteScheme::half ? 1.0 / 2 : 1.0 / 3;
  Array array(conductance, wires);
  for (Index i = 0; i < m; ++i) {
    Matrix drive = Matrix::Constant(m, 1, share);
    drive(i, 0) = 1;
    Matrix voltage = array.voltage(drive, ground);
    path.selected.row(i) = voltage.row(i);
    voltage.row(i).setZero();
    if (m > 1) path.half_selected += voltage / static_cast<double>(m - 1);
  }
  return path;
}

WritePath exact_stochastic_write_path(const Matrix& conductance, const WireResistance& wires,
                                      const Vector& row_rate, const Vector& column_rate) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  Array array(conductance, wires);
  const auto rows_at = [&](const Matrix& rows) { return array.voltage(rows, Matrix::Zero(n, 1)); };
  const auto columns_at = [&](const Matrix& columns) {
    return array.voltage(Matrix::Zero(m, 1), columns);
  };
  const Matrix mean = rows_at(row_rate) / 2 + columns_at(-column_rate) / 2;
  WritePath path{Matrix(m, n), Matrix(m, n)};
  Matrix by_row(m, n);
  Matrix by_column(m, n);
  for (Index i = 0; i < m; ++i) {
    by_row.row(i) = rows_at(Matrix::Identity(m, m).col(i)).row(i) / 2;
  }
  for (Index j = 0; j < n; ++j) {
    by_column.col(j) = columns_at(-Matrix::Identity(n, n).col(j)).col(j) / 2;
  }
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const double p = row_rate(i);
      const double q = column_rate(j);
      const double none = mean(i, j) - p * by_row(i, j) - q * by_column(i, j);
      path.selected(i, j) = none + by_row(i, j) + by_column(i, j);
      const double either = p * (1 - q) + q * (1 - p);
      path.half_selected(i, j) = none;
      if (either > 0) {
        path.half_selected(i, j) +=
            (p * (1 - q) * by_row(i, j) + q * (1 - p) * by_column(i, j)) / either;
      }
    }
  }
  return path;
}

}  // namespace xbar::surrogate
