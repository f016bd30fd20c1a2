#pragma once

/// Makes the members of the surrogate family.

#include <functional>
#include <memory>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/effective_model.hpp>

namespace xbar::surrogate {

/// The exact effective conductance and its gradient, injected so that the run-time surrogates do
/// not link the solver (surrogate_calibrate makes it).
struct ExactSolver {
  /// (G, wires) -> G_eff, m x n
  std::function<Matrix(const Matrix& conductance, const WireResistance& wires)> effective;
  /// (G, wires, d(loss)/dG_eff) -> d(loss)/dG, m x n
  std::function<Matrix(const Matrix& conductance, const WireResistance& wires,
                       const Matrix& cotangent)>
      gradient;
};

/// @param exact  needed where ModelInfo::needs_exact
/// @throws InvalidArgument for bad wires or a missing exact solver
template <typename Real>
[[nodiscard]] std::unique_ptr<EffectiveModel<Real>> make_model(ModelKind kind,
                                                               const WireResistance& wires,
                                                               const ExactSolver& exact);

}  // namespace xbar::surrogate
