#include "sandwich.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>

namespace xbar::fit {

Covariance sandwich(const Matrix& jacobian, const Matrix& meat, double freedom) {
  const Index size = jacobian.cols();
  const Vector scale = jacobian.colwise().norm().cwiseMax(1e-300);
  const Matrix inverse_scale = scale.cwiseInverse().asDiagonal();
  const Matrix part = jacobian * inverse_scale;
  const Eigen::MatrixXd hessian = part.transpose() * part;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> spectrum(hessian);
  constexpr double least = 1e-10;
  Vector inverse = Vector::Zero(size);
  Vector lost = Vector::Zero(size);  // how much of each value lies where nothing is known
  for (Index k = 0; k < size; ++k) {
    const double strength = spectrum.eigenvalues()(k);
    if (strength > least * spectrum.eigenvalues()(size - 1)) {
      inverse(k) = 1 / strength;
    } else {
      lost += spectrum.eigenvectors().col(k).cwiseAbs2();
    }
  }
  const Eigen::MatrixXd bread =
      spectrum.eigenvectors() * inverse.asDiagonal() * spectrum.eigenvectors().transpose();
  const Eigen::MatrixXd scaled = bread * inverse_scale * meat * inverse_scale * bread;
  Covariance result{inverse_scale * scaled * inverse_scale, std::max(1.0, freedom)};
  constexpr double most_lost = 1e-3;
  for (Index k = 0; k < size; ++k) {
    if (lost(k) <= most_lost) continue;
    result.values.row(k).setConstant(std::nan(""));
    result.values.col(k).setConstant(std::nan(""));
  }
  return result;
}

Matrix independent_meat(const Matrix& jacobian, const Vector& residuals) {
  const auto rows = static_cast<double>(jacobian.rows());
  const double freedom = std::max(1.0, rows - static_cast<double>(jacobian.cols()));
  const Matrix weighted = residuals.cwiseAbs2().asDiagonal() * jacobian;
  return rows / freedom * (jacobian.transpose() * weighted);
}

Matrix grouped_meat(const Matrix& jacobian, const Vector& residuals,
                    const std::vector<int>& counts) {
  Matrix meat = Matrix::Zero(jacobian.cols(), jacobian.cols());
  Index row = 0;
  for (const int count : counts) {
    const Vector gradient =
        jacobian.middleRows(row, count).transpose() * residuals.segment(row, count);
    meat += gradient * gradient.transpose();
    row += count;
  }
  const auto groups = static_cast<double>(counts.size());
  return groups / (groups - 1) * meat;
}

}  // namespace xbar::fit
