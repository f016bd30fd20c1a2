#pragma once

/// How far output currents are off.

#include <cstdint>

#include <xbar/core/matrix.hpp>

namespace xbar::surrogate {

/// Deviation of a surrogate's output currents from the exact ones, over a number of input vectors.
struct CurrentError {
  /// Root mean square of the deviations over that of the exact currents, all bitlines and inputs
  /// together: the share of the signal that is error. Tolerances are in this.
  double relative = 0;
  /// max over bitlines |I - I_exact| / max over bitlines |I_exact|: mean over the input vectors,
  double mean = 0;
  /// and the largest.
  double worst = 0;
};

/// @param current, exact  n x p, ampere; input vectors that give no current at all are left out
[[nodiscard]] CurrentError current_error(const Matrix& current, const Matrix& exact);

/// @param surrogate, exact  effective conductances, m x n
/// @param inputs            voltages, m x p; vectors that give no current at all are left out
[[nodiscard]] CurrentError current_error(const Matrix& surrogate, const Matrix& exact,
                                         const Matrix& inputs);

/// Input vectors like a layer's activations after ReLU: each entry 0 with probability 1 - density,
/// else uniform in (0, 1). m x count.
[[nodiscard]] Matrix random_sparse_inputs(Index rows, Index count, std::uint64_t seed,
                                          double density = 0.5);

}  // namespace xbar::surrogate
