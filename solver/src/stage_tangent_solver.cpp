#include "stage_tangent_solver.hpp"

namespace xbar::solver {

void StageTangentSolver::set(double a, const LineSolver::NodeCurrents& injected,
                             const NodeVoltages& guess) {
  a_ = a;
  injected_ = &injected;
  guess_ = &guess;
}

void StageTangentSolver::factor(const Matrix& siemens) { stages_.factor(a_, siemens); }

int StageTangentSolver::solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                              const Matrix& source, const NodeVoltages* guess, double tolerance,
                              NodeVoltages& nodes) {
  with_sources_.wordline = injected_->wordline - source;
  with_sources_.bitline = injected_->bitline + source;
  return stages_.solve({wordline_voltage, bitline_voltage, with_sources_,
                        guess != nullptr ? *guess : *guess_, tolerance},
                       nodes);
}

}  // namespace xbar::solver
