#include <cmath>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/surrogate/ladder.hpp>

#include "ladder_kernels.hpp"

namespace xbar::surrogate {
namespace {

Matrix ladder_with(const Matrix& conductance, const double* factor, const WireResistance& wires) {
  check_wires(wires);
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  Matrix out(m, n);
  if (out.size() == 0) return out;
  std::vector<double> scratch(static_cast<std::size_t>(2 * m * n + m + n));
  XBAR_DISPATCH(::xbar::surrogate, ladder_tile_double)
  (m, n, conductance.data(), factor, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm,
   wires.bitline_ohm, scratch.data(), out.data());
  return out;
}

}  // namespace

Matrix ladder(const Matrix& conductance, const WireResistance& wires) {
  return ladder_with(conductance, nullptr, wires);
}

Matrix operating_point_factor(const Matrix& wordline, const Matrix& bitline,
                              const Vector& voltage) {
  const Index m = wordline.rows();
  const Index n = wordline.cols();
  // A wordline below a hundredth of the largest input says nothing about how its cells load it.
  const double driven_limit = 1e-2 * voltage.cwiseAbs().maxCoeff();
  Vector typical = Vector::Zero(n);
  Index driven = 0;
  for (Index i = 0; i < m; ++i) {
    if (std::abs(voltage(i)) > driven_limit) {
      typical += wordline.row(i).transpose();
      ++driven;
    }
  }
  if (driven > 0) typical /= static_cast<double>(driven);
  Matrix factor(m, n);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const bool is_driven = std::abs(voltage(i)) > driven_limit && wordline(i, j) != 0;
      const double u = is_driven ? wordline(i, j) : typical(j);
      factor(i, j) = u != 0 ? (u - bitline(i, j)) / u : 1.0;
    }
  }
  return factor;
}

Matrix operating_point_ladder(const Matrix& conductance, const Matrix& factor,
                              const WireResistance& wires) {
  if (factor.rows() != conductance.rows() || factor.cols() != conductance.cols()) {
    throw InvalidArgument("operating-point factor: expected the shape of the conductance");
  }
  return ladder_with(conductance, factor.data(), wires);
}

}  // namespace xbar::surrogate
