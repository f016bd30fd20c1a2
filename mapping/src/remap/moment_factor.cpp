#include <cmath>
#include <limits>
#include <span>

#include <Eigen/Cholesky>

#include <xbar/core/gemm.hpp>
#include <xbar/core/random.hpp>
#include <xbar/mapping/remap/moment_factor.hpp>

namespace xbar::mapping {

MomentFactor factor_moments(const MatrixF& moments, Index rank) {
  const Index n = moments.rows();
  MatrixF tests(rank, n);  // W^T
  fill_normal(RandomStream(1, "moments/factor"), 0,
              std::span(tests.data(), static_cast<std::size_t>(tests.size())));
  MatrixF products(rank, n);  // W^T C
  gemm(Op::none, Op::none, rank, n, n, 1, tests.data(), n, moments.data(), n, 0, products.data(),
       n);
  const double size = products.norm() / std::sqrt(static_cast<double>(rank));
  MomentFactor result{MatrixF::Zero(rank, n), moments.diagonal()};
  if (!(size > 0)) return result;  // no signals
  // C may have fewer directions than rank: a shift, part of `rest` already, makes W^T C W regular
  // beyond what single precision leaves of it.
  for (double shift = 16 * std::numeric_limits<float>::epsilon();; shift *= 8) {
    const Matrix shifted = products.cast<double>() + shift * size * tests.cast<double>();
    const Matrix core = shifted * tests.cast<double>().transpose();
    const Eigen::LLT<Matrix> root((core + core.transpose()) / 2);
    if (root.info() != Eigen::Success) continue;
    result.factor = root.matrixL().solve(shifted).cast<float>();
    break;
  }
  result.rest =
      (moments.diagonal() - result.factor.colwise().squaredNorm().transpose()).cwiseMax(0.0F);
  return result;
}

}  // namespace xbar::mapping
