#pragma once

/// Newton's method on the cells of one array, for whatever the wires around them are: the circuit
/// at rest, or with capacitances a stage of a time step. A TangentSolver knows the wires.

#include <memory>

#include <xbar/device/cell_model.hpp>
#include <xbar/solver/newton.hpp>

#include "tangent_solver.hpp"

namespace xbar::solver {

class NewtonIteration {
 public:
  struct Settings {
    /// Ends when ||I(v) - c|| <= tolerance * max(||c||, current_scale).
    double tolerance = 1e-12;
    double current_scale = 0;  ///< ampere, 2-norm over all cells
    int max_iterations = 100;
    /// The tangent solver's tolerance is of a correction, not of a fixed scale: a second one has to
    /// confirm.
    bool confirm = true;
  };

  /// Keeps references to the circuit and the cells.
  NewtonIteration(const Circuit& circuit, const device::CellModel& cells,
                  std::unique_ptr<TangentSolver> tangents, const Settings& settings);

  /// @param guess     where to start; nullptr: cells at the voltages of their lines' terminals
  /// @param expected  residual of the guess, relative: below 1, it is one to start from as it is
  /// @throws NumericalError naming the cell where the residual is largest, and how large
  void solve(const Vector& wordline_voltage, const Vector& bitline_voltage,
             const NodeVoltages* guess, double expected = 1);

  // Of the last solve.
  [[nodiscard]] const NodeVoltages& nodes() const { return at_.nodes; }
  [[nodiscard]] const Matrix& cell_current() const { return at_.current; }
  /// dI/dv of the last tangents, m x n, siemens.
  [[nodiscard]] const Matrix& tangent_siemens() const { return conductance_; }
  [[nodiscard]] const NewtonPath& path() const { return path_; }
  [[nodiscard]] double condition() const { return tangents_->condition(); }
  /// Whether there is more than the rounding of no current at all.
  [[nodiscard]] bool carries_current() const { return at_.scale > negligible_; }

 private:
  // Voltages that obey Kirchhoff's laws with cell currents `brought`, and what the cells say.
  struct State {
    NodeVoltages nodes;
    Matrix voltage;     // u - w
    Matrix brought;     // c
    Matrix current;     // I(v)
    Matrix derivative;  // dI/dv(v)
    double norm = 0;    // ||I - c||
    double scale = 0;   // ||c||, at least the current scale

    [[nodiscard]] double relative() const { return norm > 0 ? norm / scale : 0.0; }
  };

  void applied_voltage(const Vector& wordline_voltage, const Vector& bitline_voltage,
                       Matrix& voltage) const;
  void begin_deliverable(double highest);
  [[nodiscard]] Matrix deliverable(double highest) const;
  void evaluate(State& state) const;
  bool limit(const Matrix& brought, const Matrix& reached);
  double search(State& reached) const;
  [[noreturn]] void fail(const State& state, const char* why) const;

  const Circuit& circuit_;
  const device::CellModel& cells_;
  std::unique_ptr<TangentSolver> tangents_;
  Settings settings_;
  State at_;
  State next_;
  Matrix conductance_;  // g of the tangents
  Matrix source_;       // j
  double negligible_ = 0;
  NewtonPath path_;
};

}  // namespace xbar::solver
