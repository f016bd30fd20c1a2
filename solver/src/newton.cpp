#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/interruption.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/solver/newton.hpp>

#include "kcl_residual.hpp"
#include "klu_tangent_solver.hpp"
#include "line_tangent_solver.hpp"
#include "newton_iteration.hpp"

namespace xbar::solver {
namespace {

constexpr double open = std::numeric_limits<double>::infinity();

void check_cells(const Circuit& circuit) {
  for (Index i = 0; i < circuit.wordlines(); ++i) {
    for (Index j = 0; j < circuit.bitlines(); ++j) {
      if (circuit.conductance(i, j) < open) continue;
      throw InvalidArgument(fmt::format(
          "conductance: expected finite values for non-linear cells, got a shorted cell at ({},{})",
          i, j));
    }
  }
}

NewtonResult solve_by_method(const Circuit& circuit, const device::CellModel& cells,
                             const TerminalVoltage& voltage, const NewtonOptions& options) {
  const Index inputs = voltage.inputs();
  const Index n = circuit.bitlines();
  const auto count = static_cast<std::size_t>(inputs);
  NewtonResult result;
  result.report.method = options.method;
  result.report.inputs.resize(count);
  result.current.resize(n, inputs);
  if (options.node_voltages) {
    result.nodes.resize(count);
    result.cell_current.resize(count);
  }
  std::vector<KclResidual> residuals(count);
  const Index parts = std::min<Index>(inputs, thread_count());
  std::vector<double> condition(static_cast<std::size_t>(parts), 0.0);
  const auto solve_part = [&, work = Interruptible::current()](Index part) {
    const InterruptibleMember member(work);
    std::unique_ptr<TangentSolver> tangents;
    if (options.method == NewtonMethod::line) {
      tangents = std::make_unique<LineTangentSolver>(circuit);
    } else {
      tangents = std::make_unique<KluTangentSolver>(circuit);
    }
    NewtonIteration newton(circuit, cells, std::move(tangents),
                           {.tolerance = options.tolerance,
                            .max_iterations = options.max_iterations,
                            .confirm = options.method == NewtonMethod::line});
    for (Index k = part; k < inputs; k += parts) {
      const auto e = static_cast<std::size_t>(k);
      const Vector wordline_voltage = voltage.wordline.col(k);
      const Vector bitline_voltage = voltage.bitline_input(k, n);
      try {
        newton.solve(wordline_voltage, bitline_voltage,
                     options.guess.empty() ? nullptr : &options.guess[e]);
      } catch (const NumericalError& error) {
        throw NumericalError(fmt::format("input {}: {}", k, error.what()));
      }
      const NodeVoltages& nodes = newton.nodes();
      const Circuit chords = chord_circuit(circuit, nodes, newton.cell_current());
      result.current.col(k) = sink_currents(chords, wordline_voltage, bitline_voltage, nodes);
      if (newton.carries_current()) {
        residuals[e] = kcl_residual(chords, wordline_voltage, bitline_voltage, nodes);
      }
      if (!(residuals[e].relative < kcl_limit)) {
        throw NumericalError(
            fmt::format("Newton: input {} leaves a Kirchhoff residual of {:.1e} of the largest "
                        "cell current at {}",
                        k, residuals[e].relative, residuals[e].where()));
      }
      result.report.inputs[e] = newton.path();
      if (!options.node_voltages) continue;
      result.nodes[e] = nodes;
      result.cell_current[e] = newton.cell_current();
    }
    condition[static_cast<std::size_t>(part)] = newton.condition();
  };
  // A single input vector leaves the threads to the sweeps.
  if (parts == 1) {
    solve_part(0);
  } else {
    parallel_for(parts, solve_part);
  }
  const auto worst = std::max_element(
      residuals.begin(), residuals.end(),
      [](const KclResidual& a, const KclResidual& b) { return a.relative < b.relative; });
  result.report.kcl_residual = worst->relative;
  result.report.kcl_worst = fmt::format("{}, input {}", worst->where(), worst - residuals.begin());
  result.report.condition = *std::max_element(condition.begin(), condition.end());
  return result;
}

}  // namespace

std::string_view newton_method_name(NewtonMethod method) {
  return method == NewtonMethod::line ? "line" : "klu";
}

int NewtonReport::iterations() const {
  int most = 0;
  for (const NewtonPath& path : inputs) most = std::max(most, path.iterations);
  return most;
}

int NewtonReport::inner_iterations() const {
  int most = 0;
  for (const NewtonPath& path : inputs) most = std::max(most, path.inner_iterations);
  return most;
}

double NewtonReport::residual() const {
  double largest = 0;
  for (const NewtonPath& path : inputs) {
    if (!path.residual.empty()) largest = std::max(largest, path.residual.back());
  }
  return largest;
}

std::string NewtonReport::brief() const {
  return fmt::format(
      "Newton, {}{}: {} iterations ({} inner), residual {:.1e} of the cell currents, Kirchhoff "
      "residual {:.1e} of the largest cell current ({}), {:.3g} ms",
      newton_method_name(method), fell_back ? fmt::format(" ({})", fallback_reason) : "",
      iterations(), inner_iterations(), residual(), kcl_residual,
      kcl_worst.empty() ? "no current" : kcl_worst, 1e3 * seconds);
}

Circuit chord_circuit(const Circuit& circuit, const NodeVoltages& nodes,
                      const Matrix& cell_current) {
  Circuit chords = circuit;
  const Matrix voltage = nodes.wordline - nodes.bitline;
  // A cell without voltage has no current, whatever its conductance; open cells stay open.
  chords.conductance =
      (voltage.array() == 0)
          .select(circuit.conductance.array(), cell_current.array() / voltage.array());
  return chords;
}

NewtonResult solve_newton(const Circuit& circuit, const device::CellModel& cells,
                          const TerminalVoltage& voltage, const NewtonOptions& options) {
  check_circuit(circuit);
  check_cells(circuit);
  check_voltage(voltage, circuit.wordlines(), circuit.bitlines());
  if (!options.guess.empty() && static_cast<Index>(options.guess.size()) != voltage.inputs()) {
    throw InvalidArgument(fmt::format("guess: expected {}, one an input vector, got {}",
                                      voltage.inputs(), options.guess.size()));
  }
  const Stopwatch watch;
  NewtonResult result;
  try {
    result = solve_by_method(circuit, cells, voltage, options);
  } catch (const NumericalError& error) {
    if (options.method == NewtonMethod::klu) throw;
    NewtonOptions reference = options;
    reference.method = NewtonMethod::klu;
    result = solve_by_method(circuit, cells, voltage, reference);
    result.report.fell_back = true;
    result.report.fallback_reason = error.what();
  }
  result.report.seconds = watch.seconds();
  return result;
}

}  // namespace xbar::solver
