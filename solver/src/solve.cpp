#include <array>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/solver/solve.hpp>

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
      method_name(method), fell_back ? " (line did not converge)" : "", iterations,
      method == SolveMethod::line ? "iterations" : "refinements", kcl_residual,
      kcl_worst.empty() ? "no current" : kcl_worst, 1e3 * factor_seconds, 1e3 * solve_seconds);
}

void check_conductance(const Matrix& conductance) {
  if (conductance.size() == 0) {
    throw InvalidArgument(fmt::format("conductance: expected at least 1 x 1, got {} x {}",
                                      conductance.rows(), conductance.cols()));
  }
  for (Index i = 0; i < conductance.rows(); ++i) {
    for (Index j = 0; j < conductance.cols(); ++j) {
      const double g = conductance(i, j);
      if (!(g >= 0) || !std::isfinite(g)) {
        throw InvalidArgument(fmt::format(
            "conductance: expected finite values >= 0 siemens, got {} at wordline {}, bitline {}",
            g, i, j));
      }
    }
  }
}

void check_voltage(const Matrix& voltage, Index num_wordlines) {
  if (voltage.rows() != num_wordlines) {
    throw InvalidArgument(
        fmt::format("voltage: expected {} rows, one a wordline of the conductance, got {} x {}",
                    num_wordlines, voltage.rows(), voltage.cols()));
  }
  if (voltage.cols() == 0) {
    throw InvalidArgument("voltage: expected at least one input vector, got p = 0");
  }
  for (Index i = 0; i < voltage.rows(); ++i) {
    for (Index k = 0; k < voltage.cols(); ++k) {
      if (!std::isfinite(voltage(i, k))) {
        throw InvalidArgument(
            fmt::format("voltage: expected finite values, got {} at wordline {}, input {}",
                        voltage(i, k), i, k));
      }
    }
  }
}

std::unique_ptr<ArraySolver> make_array_solver(SolveMethod method) {
  if (method == SolveMethod::line) return std::make_unique<LineSolver>();
  return std::make_unique<DirectSolver>();
}

SolveResult solve(const Matrix& conductance, const Matrix& voltage, const WireResistance& wires,
                  const SolveOptions& options) {
  const auto run = [&](SolveMethod method) {
    const auto solver = make_array_solver(method);
    solver->factor(conductance, wires);
    return solver->solve(voltage, options);
  };
  if (options.method == SolveMethod::direct) return run(SolveMethod::direct);
  try {
    return run(SolveMethod::line);
  } catch (const NumericalError&) {
    SolveResult result = run(SolveMethod::direct);
    result.report.fell_back = true;
    return result;
  }
}

}  // namespace xbar::solver
