#pragma once

/// The linear problem of a Newton step: the circuit with a conductance g in place of each cell and
/// a current source j beside it, so that the cell carries g (u - w) + j.

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

class TangentSolver {
 public:
  virtual ~TangentSolver() = default;

  /// @param siemens  g, m x n; its zeros are always the same
  /// @throws NumericalError if the method cannot take it
  virtual void factor(const Matrix& siemens) = 0;

  /// One input vector with cell sources j, m x n, ampere.
  /// @param guess      where to start, or nullptr
  /// @param tolerance  of the voltages, relative, for methods that approach them
  /// @return steps of the method
  /// @throws NumericalError if the method fails
  virtual int solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                    const Matrix& source, const NodeVoltages* guess, double tolerance,
                    NodeVoltages& nodes) = 0;

  /// Estimate of the condition number of the last matrix; 0: none.
  [[nodiscard]] virtual double condition() const = 0;
};

}  // namespace xbar::solver
