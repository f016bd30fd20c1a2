#pragma once

/// Arrays of cells whose current is no multiple of their voltage: Newton's method on the wired
/// array.

#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// What solves the linearised circuit of each step; the two share nothing but the circuit.
enum class NewtonMethod {
  line,  ///< the line method (docs/theory.md), inexactly while the solution is far
  klu,   ///< sparse LU of the full nodal Jacobian, SuiteSparse KLU: the reference
};

/// @return "line" or "klu".
[[nodiscard]] std::string_view newton_method_name(NewtonMethod method);

struct NewtonOptions {
  NewtonMethod method = NewtonMethod::line;
  /// Ends when ||I(v) - c|| <= tolerance * ||c||, 2-norms over all cells: I(v) what the cells let
  /// through at their voltages, c what the wires bring them.
  double tolerance = 1e-12;
  int max_iterations = 100;
  /// Keep the voltages of all nodes and the currents of all cells in the result.
  bool node_voltages = false;
  /// Where to start, one an input vector; empty: cells at the voltages of their lines' terminals.
  std::vector<NodeVoltages> guess;
};

/// The way to the solution for one input vector.
struct NewtonPath {
  int iterations = 0;            ///< linearised circuits solved
  int inner_iterations = 0;      ///< steps of conjugate gradients, or refinements, in all of them
  int limited = 0;               ///< after how many, cells had to be limited: their voltages ran
                                 ///< away, and the current that the wires bring says more
  std::vector<double> residual;  ///< ||I(v) - c|| / ||c|| after each
  std::vector<double> damping;   ///< the share of each step that was taken, 1: all of it
  Index worst_i = 0;             ///< the cell where |I(v) - c| is largest at the end
  Index worst_j = 0;
};

struct NewtonReport {
  NewtonMethod method = NewtonMethod::line;  ///< the method that gave the answer
  bool fell_back = false;                    ///< `line` could not, `klu` answered
  std::string fallback_reason;
  std::vector<NewtonPath> inputs;  ///< one an input vector
  double kcl_residual = 0;         ///< as SolveReport, with the cells' true currents
  std::string kcl_worst;
  /// Estimate of the condition number of the last Jacobian (`klu`, from its pivots); 0: not
  /// estimated (`line`).
  double condition = 0;
  double seconds = 0;

  /// Of the input vector that took most.
  [[nodiscard]] int iterations() const;
  [[nodiscard]] int inner_iterations() const;
  /// The largest of the last residuals.
  [[nodiscard]] double residual() const;
  /// One line for people.
  [[nodiscard]] std::string brief() const;
};

struct NewtonResult {
  Matrix current;                    ///< I(j), ampere, n x p, positive into the sinks
  std::vector<NodeVoltages> nodes;   ///< one an input vector if NewtonOptions::node_voltages
  std::vector<Matrix> cell_current;  ///< likewise, m x n, ampere
  NewtonReport report;
};

/// Bitline currents of a wired array of non-linear cells. Each step replaces cell (i,j) by its
/// tangent at the present voltage, a conductance g = dI/dv with a current source j = I - g v beside
/// it, and solves that linear circuit; line searches and limited voltages bring exponential cells
/// home. `line` hands over to `klu` where it cannot answer, and the report says so.
/// @param circuit  its conductances are the cells' G, siemens, finite
/// @return current n x p, good to about 1e-11 of the largest one
/// @throws InvalidArgument naming the argument (shorted cells have no voltage to speak of and are
/// refused); NumericalError naming the cell where the residual is largest, and how large
/// @cost 3 to 5 linear solves of the same array where cells bend as in reads (sinh, selectors with
/// their memory cells), up to some hundred where bare exponentials run away
[[nodiscard]] NewtonResult solve_newton(const Circuit& circuit, const device::CellModel& cells,
                                        const TerminalVoltage& voltage,
                                        const NewtonOptions& options = {});

/// The linear circuit that has the same voltages and currents: G(i,j) = I(i,j) / (u(i,j) - w(i,j)).
/// With it branch_currents() and power() answer for non-linear cells.
/// @param cell_current  I, m x n, ampere, of passive cells: with the sign of their voltage
[[nodiscard]] Circuit chord_circuit(const Circuit& circuit, const NodeVoltages& nodes,
                                    const Matrix& cell_current);

}  // namespace xbar::solver
