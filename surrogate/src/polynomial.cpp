#include <algorithm>
#include <type_traits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/surrogate/polynomial.hpp>

namespace xbar::surrogate {
namespace {

template <typename Real>
using Values = typename PolynomialSurrogate<Real>::Values;

// out = matrix^T in, or added to it.
template <typename Real>
void transposed_product(const Values<Real>& matrix, const Values<Real>& in, bool add,
                        Values<Real>& out) {
  if constexpr (std::is_same_v<Real, float>) {
    gemm(Op::transpose, Op::none, out.rows(), out.cols(), in.rows(), 1, matrix.data(),
         matrix.cols(), in.data(), in.cols(), add ? 1 : 0, out.data(), out.cols());
  } else {
    constexpr Index block = 64;  // input vectors at a time
    parallel_for((in.cols() + block - 1) / block, [&](Index b) {
      const Index first = b * block;
      const Index count = std::min(block, in.cols() - first);
      auto part = out.middleCols(first, count);
      if (!add) part.setZero();
      part.noalias() += matrix.transpose() * in.middleCols(first, count);
    });
  }
}

}  // namespace

template <typename Real>
typename PolynomialSurrogate<Real>::Values PolynomialSurrogate<Real>::current(
    const Values& voltage) const {
  const Index m = linear.rows();
  const Index n = linear.cols();
  if (cubic.rows() != m || cubic.cols() != n || own.size() != n || mean.size() != n) {
    throw InvalidArgument(fmt::format(
        "polynomial surrogate: expected cubic {} x {}, own and mean {} like the linear part, got "
        "{} x {}, {} and {}",
        m, n, n, cubic.rows(), cubic.cols(), own.size(), mean.size()));
  }
  if (voltage.rows() != m) {
    throw InvalidArgument(
        fmt::format("voltage: expected {} rows, one a wordline, got {}", m, voltage.rows()));
  }
  Values result(n, voltage.cols());
  transposed_product<Real>(linear, voltage, false, result);
  const Values squares = voltage.array().square();
  const auto power = squares.colwise().sum().eval();
  const auto powered_sum = power.cwiseProduct(voltage.colwise().sum()).eval();
  result.array() *= 1 + (own * power).array();
  result.noalias() += mean * powered_sum;
  transposed_product<Real>(cubic, squares.cwiseProduct(voltage), true, result);
  return result;
}

template struct PolynomialSurrogate<float>;
template struct PolynomialSurrogate<double>;

PolynomialSurrogate<float> to_float(const PolynomialSurrogate<double>& surrogate) {
  return {surrogate.linear.cast<float>(), surrogate.cubic.cast<float>(),
          surrogate.own.cast<float>(), surrogate.mean.cast<float>()};
}

}  // namespace xbar::surrogate
