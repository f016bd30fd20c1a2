#pragma once

/// The systems of an implicit time step, (K + a C) x = b + f: K and b the circuit and its
/// terminals, C the capacitances, a = (2 + sqrt 2) / h, f what the past of the step brings in.

#include <optional>

#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/transient.hpp>

#include "line_solver.hpp"

namespace xbar::solver {

/// The capacitances as matrices of m x n, and their product with node voltages.
class CapacitanceMatrix {
 public:
  CapacitanceMatrix(const Capacitance& capacitance, Index num_wordlines, Index num_bitlines);

  [[nodiscard]] bool coupled() const { return coupled_; }
  /// The capacitance of every node, if it is the same for all and nothing else is there.
  [[nodiscard]] std::optional<double> uniform() const { return uniform_; }
  /// The diagonal: to ground and to neighbours.
  [[nodiscard]] const NodeVoltages& diagonal() const { return diagonal_; }
  /// out = C x
  void apply(const NodeVoltages& x, NodeVoltages& out) const;
  /// out = (diagonal - C) x: what the neighbours bring in
  void apply_coupling(const NodeVoltages& x, NodeVoltages& out) const;
  /// The row of C x that belongs to one node.
  [[nodiscard]] double row(bool on_wordline, Index i, Index j, const NodeVoltages& x) const;
  /// x C x
  [[nodiscard]] double energy(const NodeVoltages& x) const;

 private:
  bool coupled_ = false;
  std::optional<double> uniform_;
  NodeVoltages diagonal_;
  Matrix wordline_coupling_;  // (m-1) x n
  Matrix bitline_coupling_;   // m x (n-1)
};

/// Solves the systems of linear cells, or of the tangents of others. The line method takes a times
/// the diagonal of C as conductances to ground. Capacitances between lines join the ladders that it
/// keeps apart: then it is the preconditioner M of conjugate gradients on all nodes, K + a C = M -
/// a (diagonal - C).
class StageSolver {
 public:
  struct Scale {
    double bitline_energy = 0;  ///< of the bitline voltages at the peak input, without capacitance
    double energy = 0;          ///< of all voltages there: the power
    NodeVoltages peak;          ///< these voltages
  };
  /// Keeps references to the capacitances. @param tolerance  of a solution, share of the peak
  StageSolver(Circuit circuit, const CapacitanceMatrix& capacitance, Scale scale, double tolerance);

  /// @param a  per second
  void factor(double a);
  /// The same with other conductances of the cells, m x n, siemens.
  void factor(double a, const Matrix& siemens);

  struct Problem {
    const Vector& wordline_voltage;
    const Vector& bitline_voltage;
    const LineSolver::NodeCurrents& injected;  ///< f
    const NodeVoltages& guess;
    double tolerance = 0;  ///< where it is more than that of the constructor
  };
  /// @return conjugate-gradient steps
  /// @throws NumericalError if they do not converge
  int solve(const Problem& problem, NodeVoltages& x);

  /// About (K + a C)^-1 f with all terminals at 0 V, by the lines alone: good for an error
  /// estimate.
  void estimate(const LineSolver::NodeCurrents& f, NodeVoltages& x);

 private:
  void factor_lines();
  int solve_lines(const Problem& problem, double tolerance, bool correction, NodeVoltages& x);

  LineSolver line_;
  Circuit circuit_;  // until the first factor(), then line_ has it
  bool factored_ = false;
  const CapacitanceMatrix& capacitance_;
  Scale scale_;
  double tolerance_;
  double bitline_peak_ = 0;  // peak C peak on the bitlines
  double all_peak_ = 0;      // and on all lines
  double a_ = 0;
};

}  // namespace xbar::solver
