#pragma once

/// Where the surrogates meet the solver: models that need exact fields, and their measured error.
/// A target of its own, so that the run-time surrogates do not link SuiteSparse.

#include <cstdint>
#include <memory>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::surrogate {

/// Node voltages by solver::solve.
[[nodiscard]] FieldSolver exact_fields();

/// Any member of the family by name; operating_point and exact come with the solver.
[[nodiscard]] std::unique_ptr<EffectiveModel> make_model(ModelKind kind,
                                                         const WireResistance& wires);

/// Effective conductance of one array in double precision, m x n.
/// @param voltage  operating point, m, for ModelKind::operating_point; other kinds ignore it
[[nodiscard]] Matrix effective_conductance(ModelKind kind, const Matrix& conductance,
                                           const WireResistance& wires, const Vector& voltage);

/// Deviation of a surrogate's output currents from the exact ones,
/// max over bitlines |I - I_exact| / max over bitlines |I_exact|, for each input vector.
struct CurrentError {
  double mean = 0;   ///< over the input vectors
  double worst = 0;  ///< over the input vectors
};

/// @param surrogate, exact  effective conductances, m x n
/// @param inputs            voltages, m x p; vectors that give no current at all are left out
[[nodiscard]] CurrentError current_error(const Matrix& surrogate, const Matrix& exact,
                                         const Matrix& inputs);

/// Input vectors like a layer's activations after ReLU: each entry 0 with probability one half,
/// else uniform in (0, 1). m x count.
[[nodiscard]] Matrix random_sparse_inputs(Index rows, Index count, std::uint64_t seed);

}  // namespace xbar::surrogate
