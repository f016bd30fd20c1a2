#include <limits>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/solver/solve.hpp>

#include "conductance_sum.hpp"
#include "direct_solver.hpp"
#include "line_solver.hpp"

namespace xbar::solver {

std::string_view method_name(SolveMethod method) {
  return method == SolveMethod::line ? "line" : "direct";
}

SolveMethod parse_method(std::string_view name) {
  for (const SolveMethod method : {SolveMethod::line, SolveMethod::direct}) {
    if (method_name(method) == name) return method;
  }
  throw InvalidArgument(fmt::format("method: expected line or direct, got '{}'", name));
}

std::string SolveReport::brief() const {
  return fmt::format(
      "{}{}: {} {}, Kirchhoff residual {:.1e} of the largest cell current ({}), "
      "{:.3g} ms to prepare, {:.3g} ms to solve",
      method_name(method), fell_back ? fmt::format(" ({})", fallback_reason) : "", iterations,
      method == SolveMethod::line ? "iterations" : "refinements", kcl_residual,
      kcl_worst.empty() ? "no current" : kcl_worst, 1e3 * factor_seconds, 1e3 * solve_seconds);
}

void check_conductance(const Matrix& conductance) {
  if (conductance.size() == 0) {
    throw InvalidArgument(fmt::format("conductance: expected at least 1 x 1, got {} x {}",
                                      conductance.rows(), conductance.cols()));
  }
  // One pass that vectorises; the culprit is looked for afterwards.
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (conductance_sum(conductance) < infinity) return;
  for (Index e = 0; e < conductance.size(); ++e) {
    const double g = conductance.data()[e];
    if (g >= 0 && g < infinity) continue;
    throw InvalidArgument(fmt::format(
        "conductance: expected finite values >= 0 siemens, got {} at wordline {}, bitline {}", g,
        e / conductance.cols(), e % conductance.cols()));
  }
}

std::unique_ptr<ArraySolver> make_array_solver(SolveMethod method) {
  if (method == SolveMethod::line) return std::make_unique<LineSolver>();
  return std::make_unique<DirectSolver>();
}

namespace {

SolveResult solve_by(SolveMethod method, Circuit circuit, const TerminalVoltage& voltage,
                     const SolveOptions& options) {
  const auto solver = make_array_solver(method);
  solver->factor(std::move(circuit));
  return solver->solve(voltage, options);
}

}  // namespace

SolveResult solve(Circuit circuit, const TerminalVoltage& voltage, const SolveOptions& options) {
  if (options.method == SolveMethod::direct) {
    return solve_by(SolveMethod::direct, std::move(circuit), voltage, options);
  }
  LineSolver line;
  std::string reason;
  try {
    line.factor(std::move(circuit));
    return line.solve(voltage, options);
  } catch (const NumericalError& error) {
    reason = error.what();
  }
  SolveResult result = solve_by(SolveMethod::direct, line.take_circuit(), voltage, options);
  result.report.fell_back = true;
  result.report.fallback_reason = reason;
  return result;
}

SolveResult solve(const Matrix& conductance, const Matrix& voltage, const WireResistance& wires,
                  const SolveOptions& options) {
  check_conductance(conductance);
  return solve(make_circuit(conductance, wires), {voltage, {}}, options);
}

}  // namespace xbar::solver
