#pragma once

/// The line method: conjugate gradients on the bitline voltages, preconditioned by the bitlines.
///
/// With D = diag(G), T the wordlines (one tridiagonal block each, cells included) and S likewise
/// the bitlines, Kirchhoff's law reads T u = b + D w, S w = D u. Eliminating u,
///     (S - D T^-1 D) w = D T^-1 b,
/// symmetric positive definite; S is the preconditioner, and both T^-1 and S^-1 are two recursions
/// along the lines (line_kernels.hpp). CG needs S p only for the search directions p, and as
/// z = S^-1 r, S p follows r's own recurrence: S is never applied, so that resistances of exactly
/// zero, where S has infinite entries, need no special case.

#include <vector>

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// Contiguous doubles, 64-byte aligned.
using Buffer = std::vector<double, Eigen::aligned_allocator<double>>;

/// A set of lines prepared for the ladder recursions.
struct LadderFactors {
  Buffer a, b;      // K rows of L (the last one unused)
  Buffer t;         // L
  Buffer terminal;  // L: resistance of the driver or sink, ohm
};

class LineSolver final : public ArraySolver {
 public:
  void factor(const Matrix& conductance, const WireResistance& wires) override;
  [[nodiscard]] SolveResult solve(const Matrix& voltage, const SolveOptions& options) override;

  /// G_eff (m x n) by min(m, n) solves in blocks of right-hand sides.
  /// @throws NumericalError if a block does not converge in max_iterations.
  [[nodiscard]] Matrix effective_conductance(const SolveOptions& options);

 private:
  struct Outcome {
    int iterations = 0;
    bool converged = false;
  };

  // One input vector: leaves u in u_ (n x m, transposed) and w in w_ (m x n).
  Outcome solve_vector(const double* voltage, const SolveOptions& options);
  [[nodiscard]] NodeVoltages node_voltages() const;

  Index m_ = 0;
  Index n_ = 0;
  WireResistance wires_;
  Buffer conductance_;             // G, m x n
  Buffer conductance_transposed_;  // n x m
  LadderFactors wordlines_;        // K = n nodes, L = m lines, stride m
  LadderFactors bitlines_;         // K = m nodes, L = n lines, from the last row with stride -n
  Buffer w_, r_, z_, p_, s_, q_;   // m x n
  Buffer u_, c_;                   // n x m
  double factor_seconds_ = 0;
};

}  // namespace xbar::solver
