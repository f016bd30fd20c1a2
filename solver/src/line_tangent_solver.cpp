#include "line_tangent_solver.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::solver {

void LineTangentSolver::factor(const Matrix& siemens) {
  if (factored_) circuit_ = line_.take_circuit();
  factored_ = true;
  circuit_.conductance = siemens;
  line_.factor(std::move(circuit_));
}

int LineTangentSolver::solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
                             const Matrix& source, const NodeVoltages* guess, double tolerance,
                             NodeVoltages& nodes) {
  injected_.wordline = -source;
  injected_.bitline = source;
  LineSolver::FieldProblem problem{wordline_voltage, bitline_voltage};
  problem.injected = &injected_;
  problem.guess = guess;
  problem.tolerance = tolerance;
  problem.energy_scale = guess == nullptr ? 0.0 : energy_scale_;
  const LineSolver::FieldReport report = line_.solve_fields(problem, nodes);
  if (!report.converged) {
    throw NumericalError(
        fmt::format("line method: no solution of the linearised circuit after {} iterations",
                    report.iterations));
  }
  if (guess == nullptr) energy_scale_ = report.energy;
  condition_ = std::max(condition_, report.condition);
  return report.iterations;
}

}  // namespace xbar::solver
