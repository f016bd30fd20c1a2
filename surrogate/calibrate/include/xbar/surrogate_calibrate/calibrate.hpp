#pragma once

/// Where the surrogates meet the solver: the members that need it.
/// A target of its own, so that the run-time surrogates do not link SuiteSparse.

#include <memory>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::surrogate {

/// solver::effective_conductance and exact_gradient().
[[nodiscard]] ExactSolver exact_solver();

/// Any member of the family.
template <typename Real>
[[nodiscard]] std::unique_ptr<EffectiveModel<Real>> make_model(ModelKind kind,
                                                               const WireResistance& wires) {
  return make_model<Real>(kind, wires, exact_solver());
}

/// Effective conductance of one array by a member just refreshed, m x n, siemens.
/// @param inputs  operating point, m, where the member takes one; empty: all inputs equal
/// @throws InvalidArgument as solver::check_conductance() and check_wires()
[[nodiscard]] Matrix effective_conductance(ModelKind kind, const Matrix& conductance,
                                           const WireResistance& wires, const Vector& inputs = {});

/// Adjoint gradient of a loss through the exact effective conductance. With unit input i the cell
/// (k,l) has voltage x_i(k,l); with the sinks at voltages C(i,:) and the inputs at 0 it has
/// y_i(k,l), positive from bitline to wordline. Then
///     d(loss)/dG(k,l) = sum over i of x_i(k,l) y_i(k,l),   C = d(loss)/dG_eff.
/// @param cotangent  C, m x n
/// @return m x n
/// @cost 2 m solutions of the array
[[nodiscard]] Matrix exact_gradient(const Matrix& conductance, const WireResistance& wires,
                                    const Matrix& cotangent);

}  // namespace xbar::surrogate
