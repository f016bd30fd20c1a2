#pragma once

/// The reference solver: exact nodal analysis of a wired crossbar with linear cells.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar::solver {

/// Exact methods; they solve the same circuit independently of each other.
enum class SolveMethod {
  line,    ///< conjugate gradients preconditioned by the lines (docs/theory.md), O(mn) a step
  direct,  ///< sparse Cholesky of the nodal matrix, SuiteSparse CHOLMOD [Chen2008]
};

/// @return "line" or "direct".
[[nodiscard]] std::string_view method_name(SolveMethod method);

/// @throws InvalidArgument for any other name, suggesting the nearest.
[[nodiscard]] SolveMethod parse_method(std::string_view name);

struct SolveOptions {
  SolveMethod method = SolveMethod::line;
  /// `line` stops when the energy of a step's correction has fallen to tolerance^2 of the
  /// solution's; the currents are then good to about `tolerance` of the largest one.
  double tolerance = 1e-12;
  /// `line` gives up after this many steps and hands over to `direct` (the report says so).
  int max_iterations = 500;
  /// Keep the voltages of all nodes in the result: 2mn doubles for each input vector.
  bool node_voltages = false;
};

/// Voltages at all nodes for one input vector, volt, m x n each.
struct NodeVoltages {
  Matrix wordline;  ///< u(i,j)
  Matrix bitline;   ///< w(i,j)
};

/// How a solution was reached and how good it is.
struct SolveReport {
  SolveMethod method = SolveMethod::line;  ///< the method that gave the answer
  bool fell_back = false;                  ///< `line` could not, `direct` answered
  std::string fallback_reason;             ///< why, if it fell back
  int iterations = 0;       ///< CG steps (line), refinement steps (direct); worst input vector
  double kcl_residual = 0;  ///< largest net current into a node / largest cell current
  std::string kcl_worst;    ///< where: "bitline node (3,17), input 0"
  /// Estimate of the condition number of the system that the method solves: the preconditioned one
  /// (line, from the CG coefficients), the nodal matrix (direct, CHOLMOD's diagonal estimate).
  double condition = 1;
  std::size_t bytes = 0;  ///< memory held by the method
  double factor_seconds = 0;
  double solve_seconds = 0;

  /// One line for people.
  [[nodiscard]] std::string brief() const;
};

struct SolveResult {
  Matrix current;                   ///< I(j), ampere, n x p, positive into the sinks
  std::vector<NodeVoltages> nodes;  ///< one an input vector if SolveOptions::node_voltages
  SolveReport report;
};

/// One array, prepared for many input vectors. Not thread-safe; one object a thread.
class ArraySolver {
 public:
  virtual ~ArraySolver() = default;

  /// Takes an array: everything that does not depend on the inputs. What depends only on the shape
  /// and on which resistances are zero or infinite (the symbolic analysis) is reused from the last
  /// call.
  /// @throws InvalidArgument as check_circuit; NumericalError if the method cannot take the circuit
  virtual void factor(Circuit circuit) = 0;

  /// Solves for p input vectors.
  /// @throws InvalidArgument as check_voltage; NumericalError if the method fails.
  [[nodiscard]] virtual SolveResult solve(const TerminalVoltage& voltage,
                                          const SolveOptions& options) = 0;
};

[[nodiscard]] std::unique_ptr<ArraySolver> make_array_solver(SolveMethod method);

/// Bitline currents of a wired array: Kirchhoff's current law at all 2mn nodes. `line` hands over
/// to `direct` where it does not converge, and the report says so.
/// @return current n x p; relative error about 1e-13 (tested at 1e-10 against independent solvers)
/// @throws InvalidArgument naming the argument; NumericalError if no method reaches the answer
/// @cost line: O(mn) a step, 3 to 10 steps at usual IR drop; direct: about O((mn)^1.5)
[[nodiscard]] SolveResult solve(Circuit circuit, const TerminalVoltage& voltage,
                                const SolveOptions& options = {});

/// The same for an array with equal resistances on all lines, driven at the left and sensed at the
/// bottom (circuit: WireResistance). With all resistances 0, I = G^T V.
/// @param conductance  G, m x n, siemens, finite and >= 0; 0 is an open cell
/// @param voltage      V, m x p, volt: p input vectors
[[nodiscard]] SolveResult solve(const Matrix& conductance, const Matrix& voltage,
                                const WireResistance& wires, const SolveOptions& options = {});

/// @throws InvalidArgument if G is empty or has a negative, infinite or NaN entry; names the entry.
void check_conductance(const Matrix& conductance);

}  // namespace xbar::solver
