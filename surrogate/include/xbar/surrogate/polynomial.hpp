#pragma once

/// Currents of a wired array of non-linear cells as a cubic polynomial of its inputs.

#include <xbar/core/matrix.hpp>

namespace xbar::surrogate {

/// With S = sum over i of V(i)^2 and Q = sum over i of V(i) of an input vector V,
///
///     I(j) = (1 + own(j) S) sum over i of linear(i,j) V(i)
///          + sum over i of cubic(i,j) V(i)^3  +  mean(j) S Q
///
/// `linear` is the array's slope at small voltage, `cubic` what the cells' own third powers bring
/// to the sinks. A cell has less than the voltage V(i) of its wordline by what the current of its
/// bitline, and that of all bitlines, drops: the mixed terms of that difference cubed are V(i)^2
/// times such a drop, and as sums over a line take S for all bitlines alike. docs/theory.md derives
/// it; surrogate_calibrate/polynomial_fit.hpp makes it and measures its error.
template <typename Real>
struct PolynomialSurrogate {
  using Values = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Column = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
  Values linear;  ///< G1, m x n, siemens
  Values cubic;   ///< G3, m x n, A/V^3
  Column own;     ///< n, 1/V^2
  Column mean;    ///< n, A/V^3

  /// @param voltage  V, m x p, volt: p input vectors, like those of the fit
  /// @return I, n x p, ampere, positive into the sinks
  /// @throws InvalidArgument if V does not have m rows or the surrogate's own shapes differ
  /// @cost two products with an m x n matrix
  [[nodiscard]] Values current(const Values& voltage) const;
};

extern template struct PolynomialSurrogate<float>;
extern template struct PolynomialSurrogate<double>;

/// The same in single precision.
[[nodiscard]] PolynomialSurrogate<float> to_float(const PolynomialSurrogate<double>& surrogate);

}  // namespace xbar::surrogate
