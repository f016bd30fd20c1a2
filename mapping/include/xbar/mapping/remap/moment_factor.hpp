#pragma once

/// Second moments as a few directions and a diagonal.

#include <Eigen/Core>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// C = F^T F + diag(rest).
struct MomentFactor {
  MatrixF factor;        ///< F, rank x n
  Eigen::VectorXf rest;  ///< n, >= 0
};

/// Of symmetric positive semidefinite moments C, n x n: F by Nystrom's approximation C W (W^T C
/// W)^-1 W^T C from normally distributed W, n x rank, shifted for stability [Tropp2017]; the
/// diagonal is C's own wherever F leaves something of it. Takes 2 n^2 rank operations.
/// @param rank  1 to n
[[nodiscard]] MomentFactor factor_moments(const MatrixF& moments, Index rank);

}  // namespace xbar::mapping
