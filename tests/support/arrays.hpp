#pragma once

/// Random arrays and comparisons for tests.

#include <cmath>
#include <cstdint>

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>

namespace xbar_test {

/// Conductances uniform in [low, high].
inline xbar::Matrix random_matrix(xbar::Index rows, xbar::Index columns, double low, double high,
                                  std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "test-matrix");
  xbar::Matrix matrix(rows, columns);
  for (xbar::Index e = 0; e < matrix.size(); ++e) {
    matrix.data()[e] = stream.uniform(static_cast<std::uint64_t>(e), low, high);
  }
  return matrix;
}

/// Largest |a - b| / largest |b|; NaN if anything is NaN, so that `!(error <= tolerance)` fails.
inline double relative_error(const xbar::Matrix& a, const xbar::Matrix& b) {
  const double scale = b.cwiseAbs().maxCoeff();
  double worst = 0;
  for (xbar::Index i = 0; i < b.rows(); ++i) {
    for (xbar::Index j = 0; j < b.cols(); ++j) {
      const double d = std::abs(a(i, j) - b(i, j));
      if (std::isnan(d)) return d;
      worst = std::max(worst, d);
    }
  }
  return scale > 0 ? worst / scale : worst;
}

}  // namespace xbar_test
