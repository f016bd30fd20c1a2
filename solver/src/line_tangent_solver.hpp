#pragma once

#include "line_solver.hpp"
#include "tangent_solver.hpp"

namespace xbar::solver {

/// Tangent circuits by the line method.
class LineTangentSolver final : public TangentSolver {
 public:
  explicit LineTangentSolver(Circuit circuit) : circuit_(std::move(circuit)) {}

  void factor(const Matrix& siemens) override;
  int solve(const Vector& wordline_voltage, const Vector& bitline_voltage, const Matrix& source,
            const NodeVoltages* guess, double tolerance, NodeVoltages& nodes) override;
  [[nodiscard]] double condition() const override { return condition_; }

 private:
  Circuit circuit_;  // while line_ does not have it
  LineSolver line_;
  bool factored_ = false;
  LineSolver::NodeCurrents injected_;
  double energy_scale_ = 0;  // of the last solve from nothing
  double condition_ = 1;     // the largest so far
};

}  // namespace xbar::solver
