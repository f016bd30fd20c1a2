#pragma once

/// Tangent circuits of a stage of a time step, (K + a C) x = b + f: those at rest with the
/// capacitances as conductances to ground and the past of the step as injected currents.

#include "stage_solver.hpp"
#include "tangent_solver.hpp"

namespace xbar::solver {

class StageTangentSolver final : public TangentSolver {
 public:
  /// Keeps the reference.
  explicit StageTangentSolver(StageSolver& stages) : stages_(stages) {}

  /// The stage that is solved next. Keeps references. @param guess  where to start from nothing
  void set(double a, const LineSolver::NodeCurrents& injected, const NodeVoltages& guess);

  void factor(const Matrix& siemens) override;
  int solve(const Vector& wordline_voltage, const Vector& bitline_voltage, const Matrix& source,
            const NodeVoltages* guess, double tolerance, NodeVoltages& nodes) override;
  [[nodiscard]] double condition() const override { return 0; }

 private:
  StageSolver& stages_;
  double a_ = 0;
  const LineSolver::NodeCurrents* injected_ = nullptr;
  const NodeVoltages* guess_ = nullptr;
  LineSolver::NodeCurrents with_sources_;
};

}  // namespace xbar::solver
