#pragma once

/// The line method: conjugate gradients on the bitline voltages, preconditioned by the bitlines.
///
/// With D = diag(G), T the wordlines and S the bitlines (each block tridiagonal, cells included),
///   T u = c_u + D w,  S w = c_w + D u   (c: what the terminals drive into the lines).
/// Eliminating u leaves (S - D T^-1 D) w = c_w + D T^-1 c_u, symmetric positive definite, with S as
/// the preconditioner. Every solve with T or S is two recursions along the lines. The two inner
/// products of a step are taken together [Chronopoulos1989], so that a step is two sweeps over the
/// array: q = D T^-1 D z along the wordlines, and everything else along the bitlines.

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <xbar/solver/solve.hpp>

#include "aligned_buffer.hpp"
#include "coarse_space.hpp"

namespace xbar::solver {

class LineSolver final : public ArraySolver {
 public:
  LineSolver();
  ~LineSolver() override;
  LineSolver(const LineSolver&) = delete;
  LineSolver& operator=(const LineSolver&) = delete;

  /// @throws NumericalError for a circuit with shorted cells: they merge lines.
  void factor(Circuit circuit) override;
  [[nodiscard]] SolveResult solve(const TerminalVoltage& voltage,
                                  const SolveOptions& options) override;

  /// factor() with conductances from the nodes to ground, m x n, siemens; empty: none.
  struct GroundConductance {
    Matrix wordline;
    Matrix bitline;
  };
  void factor(Circuit circuit, const GroundConductance& ground);

  /// Currents into the nodes from outside, m x n, ampere.
  struct NodeCurrents {
    Matrix wordline;
    Matrix bitline;
  };
  /// One input vector for solve_fields().
  struct FieldProblem {
    const Vector& wordline_voltage;
    const Vector& bitline_voltage;
    const NodeCurrents* injected = nullptr;
    const NodeVoltages* guess = nullptr;  ///< its bitline voltages are where the iteration starts
    double tolerance = 1e-12;
    /// The tolerance is of the energy of the correction to the start, or of this where it is more:
    /// the energy of a solve from nothing for a solve from a guess.
    double energy_scale = 0;
    int max_iterations = 500;
  };
  struct FieldReport {
    int iterations = 0;
    bool converged = false;
    double energy = 0;
    double condition = 1;  ///< estimate for the preconditioned system
  };
  /// The bare solution for non-linear cells and time steps: no check by Kirchhoff's law.
  FieldReport solve_fields(const FieldProblem& problem, NodeVoltages& nodes);

  /// Hands the circuit of factor() on, also after a failure; factor() comes next.
  [[nodiscard]] Circuit take_circuit() { return std::move(circuit_); }

 private:
  // The ladders of all wordlines or of all bitlines; layout and meaning of a, b, h:
  // line_kernels.hpp.
  struct Ladders {
    AlignedBuffer a;
    AlignedBuffer b;         // empty if all segments are segment_ohm and no far end is connected
    AlignedBuffer h;         // one a line
    AlignedBuffer t;         // v(0) at 1 V on the near terminal, one a line
    AlignedBuffer grounded;  // cells and conductances to ground; empty without these
    double segment_ohm = 0;
    bool far_connected = false;  // some line has a terminal at its far end

    [[nodiscard]] const double* b_or_null() const { return b.empty() ? nullptr : b.data(); }
  };
  struct Workspace;
  struct Outcome;

  void factor_wordlines();
  void factor_bitlines();
  void drive_wordlines(const Vector& voltage, double* out) const;
  void drive_bitlines(const Vector& voltage, double* out) const;
  void factor_coarse(double cells_siemens);  // the sum of all conductances
  // What joins the bitline nodes of row i - 1 to those of row i: 0 the top, m the bottom terminals.
  [[nodiscard]] const double* segment_row(Index i) const;
  // y = D T^-1 D x, returns x . y. before and after(begin, end) run around each group of rows.
  template <typename Before, typename After>
  double couple(const double* x, double* y, const Before& before, const After& after) const;
  // Adds the coarse correction P d to z; q = D T^-1 D z - S P d; returns z . D T^-1 D z.
  double couple_preconditioned(Workspace& space) const;
  // y += T^-1 (G x); x null: 1
  void add_wordline_response(const double* G, const double* x, double* y) const;
  // z = S^-1 r
  void solve_bitlines(const double* r, double* z) const;
  void resize(Workspace& space) const;
  void pad(const Matrix& field, double* padded) const;
  void unpad(const double* padded, Matrix& field) const;
  // Fills u, w and r: the fields of the lines by themselves, or one step from the guess, d (w is
  // then short of the guess), and what is left to balance. @return d . r; 0 without a guess
  double start(const FieldProblem& problem, Workspace& space) const;
  void node_voltages(const FieldProblem& problem, const Workspace& space,
                     NodeVoltages& nodes) const;
  [[nodiscard]] std::size_t bytes() const;
  template <typename Body>
  void for_row_groups(const Body& body) const;
  template <typename Body>
  void for_column_panels(const Body& body) const;
  // z = S^-1 r by sweep(begin, end), which returns its share of r . z, and the coarse correction d
  // for couple_preconditioned() to add.
  struct Energies {
    double residual;  // r . M^-1 r
    double coarse;    // z . S P d with z = M^-1 r
  };
  template <typename Sweep>
  Energies precondition(Workspace& space, const Sweep& sweep) const;
  // Fills space.w and space.u.
  Outcome solve_vector(const FieldProblem& problem, Workspace& space) const;

  Circuit circuit_;
  Index m_ = 0;
  Index n_ = 0;
  Index padded_rows_ = 0;     // a multiple of lane_rows
  Index padded_columns_ = 0;  // a multiple of 8
  Index stride_ = 0;
  AlignedBuffer conductance_;  // padded_rows x stride
  Ladders wordlines_;
  Ladders bitlines_;
  CoarseSpace coarse_;
  AlignedBuffer segments_;                          // see segment_row(); only with the coarse space
  std::vector<std::unique_ptr<Workspace>> spaces_;  // one a thread
  double factor_seconds_ = 0;
};

}  // namespace xbar::solver
