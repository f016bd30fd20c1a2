#pragma once

/// How sure the values of a least-squares fit are.

#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::fit {

struct Covariance {
  Matrix values;       ///< NaN for what the residuals do not determine
  double freedom = 0;  ///< degrees of freedom of Student's t
};

/// From this many groups on grouped_meat() is better than what assumes more.
inline constexpr std::size_t enough_groups = 10;

/// Covariance H^-1 M H^-1 of the values of a fit with Jacobian J, N x p; H = J^T J, and M the
/// covariance of J^T e, with e the residuals.
/// @param meat  M
[[nodiscard]] Covariance sandwich(const Matrix& jacobian, const Matrix& meat, double freedom);

/// M of residuals that are independent, of unequal variance [White1980]:
///   N/(N - p) sum over k of J_k^T e_k^2 J_k
[[nodiscard]] Matrix independent_meat(const Matrix& jacobian, const Vector& residuals);

/// M of residuals that depend on each other within a group, as those of one device do:
///   C/(C - 1) sum over the groups c of g_c g_c^T,  g_c = J_c^T e_c
/// @param counts  residuals of each group, in their order
[[nodiscard]] Matrix grouped_meat(const Matrix& jacobian, const Vector& residuals,
                                  const std::vector<int>& counts);

}  // namespace xbar::fit
