#pragma once

/// The dense types that cross the library's boundaries. Row-major: in a conductance matrix a row is
/// a wordline, and the cells of a wordline are contiguous.

#include <Eigen/Core>

namespace xbar {

using Index = Eigen::Index;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using VectorF = Eigen::VectorXf;

}  // namespace xbar
