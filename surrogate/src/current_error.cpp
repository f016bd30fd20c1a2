#include <algorithm>

#include <xbar/core/random.hpp>
#include <xbar/surrogate/current_error.hpp>

namespace xbar::surrogate {

CurrentError current_error(const Matrix& current, const Matrix& exact) {
  const Matrix deviation = current - exact;
  CurrentError error;
  Index counted = 0;
  for (Index k = 0; k < exact.cols(); ++k) {
    const double scale = exact.col(k).cwiseAbs().maxCoeff();
    if (!(scale > 0)) continue;
    const double share = deviation.col(k).cwiseAbs().maxCoeff() / scale;
    error.mean += share;
    error.worst = std::max(error.worst, share);
    ++counted;
  }
  if (counted > 0) {
    error.mean /= static_cast<double>(counted);
    error.relative = deviation.norm() / exact.norm();
  }
  return error;
}

CurrentError current_error(const Matrix& surrogate, const Matrix& exact, const Matrix& inputs) {
  return current_error(surrogate.transpose() * inputs, exact.transpose() * inputs);
}

Matrix random_sparse_inputs(Index rows, Index count, std::uint64_t seed, double density) {
  const RandomStream stream(seed, "sparse-inputs");
  Matrix inputs(rows, count);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < count; ++k) {
      const double draw = stream.uniform(static_cast<std::uint64_t>(i * count + k));
      inputs(i, k) = draw < 1 - density ? 0.0 : (draw - (1 - density)) / density;
    }
  }
  return inputs;
}

}  // namespace xbar::surrogate
