#pragma once

/// Write pulses on a wired array: every cell's state follows its own equation under the voltage
/// that the wires leave it.

#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/device/waveform.hpp>
#include <xbar/solver/array_state.hpp>
#include <xbar/solver/circuit.hpp>
#include <xbar/solver/newton.hpp>

namespace xbar::solver {

/// What unselected lines are held at while selected wordlines are at V and selected bitlines at 0.
///
///     scheme    wordlines  bitlines  cell in a selected line   other cells
///     half        V/2        V/2          V/2                     0
///     third       V/3       2V/3          V/3                   -V/3
///     grounded     0          0       V (wordline), 0             0
///     floating   no terminal          what the array makes of it
///
/// (the voltages across cells are those of ideal wires)
enum class Bias { half, third, grounded, floating };

/// "v/2" or "V/2", "v/3" or "V/3", "grounded", "floating". @throws InvalidArgument for another name
[[nodiscard]] Bias parse_bias(std::string_view name);
[[nodiscard]] std::string_view bias_name(Bias bias);

/// The cells at the crossings of some wordlines and some bitlines.
struct CellSelection {
  std::vector<Index> wordlines;
  std::vector<Index> bitlines;
};

/// Voltages of the terminals for 1 V across the selected cells, m x 1 and n x 1.
/// @throws InvalidArgument for an empty selection or an index out of range
[[nodiscard]] TerminalVoltage bias_voltage(Bias bias, const CellSelection& selection,
                                           Index wordlines, Index bitlines);

/// @throws InvalidArgument as check_circuit(), and for shorted cells: they have no state to write
void check_written_circuit(const Circuit& circuit);

struct WriteOptions {
  /// Of a macro step: difference of predictor and corrector, relative to the state (where that is
  /// small, to its lower bound or, if that is 0, to its range), and of the energy by two rules,
  /// relative to that of the pulse so far. > 0 and <= 0.1
  double step_tolerance = 1e-3;
  /// Of the cells' own integrators (device::IntegrateOptions::tolerance).
  double cell_tolerance = 1e-7;
  /// 0: macro steps by `step_tolerance`; else so many equal ones between two breakpoints of the
  /// waveform, whatever their error.
  Index fixed_steps = 0;
  NewtonMethod method = NewtonMethod::line;
  ProgressCallback progress = {};
};

/// @throws InvalidArgument naming the tolerance that is out of range
void check_write_options(const WriteOptions& options);

/// Where the energy went, joule. The array stores none: delivered is the sum of the other four.
/// Powers are integrated by the trapezoidal rule over the macro steps.
struct WriteEnergy {
  double delivered_joule = 0;  ///< by all terminal voltages
  double cells_joule = 0;
  double wordlines_joule = 0;
  double bitlines_joule = 0;
  double terminals_joule = 0;
  /// The cells' energy once more, by their own integrators' quadrature within the macro steps: it
  /// differs from cells_joule by the error of the macro steps.
  double integrated_joule = 0;

  /// |delivered - sum of the rest| / delivered; 0 where nothing was delivered.
  [[nodiscard]] double imbalance() const;
  WriteEnergy& operator+=(const WriteEnergy& other);
};

/// A value and the cell that has it.
struct CellExtreme {
  double value = 0;
  Index i = 0;
  Index j = 0;
};

struct WriteReport {
  Index steps = 0;     ///< macro steps
  Index rejected = 0;  ///< tries with too large an error
  Index solves = 0;    ///< of the wired array
  Index newton_iterations = 0;
  Index integrations = 0;  ///< of single cells over a macro step; the others rest or creep
  WriteEnergy energy;
  Matrix peak_volt;             ///< m x n, largest |u - w| of each cell at a macro step's end
  CellExtreme unselected_volt;  ///< the largest of it among unselected cells
  /// Largest change of DynamicCell::fraction() of an unselected cell, with its sign.
  CellExtreme disturb;
};

/// Applies `waveform` to the selected cells and moves the states of all cells.
///
/// Quasi-static: lines have no capacitance, so that with terminal voltages a v(t), a from
/// bias_voltage(), the node voltages follow the states:
///     Kirchhoff with I(i,j) = I(u - w, x(i,j)),      dx(i,j)/dt = f(u - w, x(i,j)).
/// A macro step h from t: (1) Newton at t + h with the states of t gives v_p, the cells are
/// integrated under the voltage linear from v(t) to v_p: x_p; (2) Newton with x_p gives v_c, the
/// cells are integrated again from t, linear from v(t) to v_c: x(t + h). Second order in h; the
/// difference x(t + h) - x_p, which is of the second order, chooses h. Steps end at the waveform's
/// breakpoints. Each cell's integration has its own error control; cells that rest on a bound or
/// move by less than a thousandth are moved by Heun's rule, with the same tolerance.
/// @param circuit  of its conductances only zeros count: open cells, whose state stays
/// @param waveform v(t), volt, across the selected cells if the wires were ideal, positive from
///                 wordline to bitline
/// @param state    in and out; as it was if this throws
/// @throws InvalidArgument naming the argument; NumericalError with the time reached if Newton, a
///         cell's integrator or the macro step fails
[[nodiscard]] WriteReport apply_pulse(const Circuit& circuit, const device::DynamicCell& cell,
                                      const CellSelection& selection, Bias bias,
                                      const device::Waveform& waveform, ArrayState& state,
                                      const WriteOptions& options = {});

}  // namespace xbar::solver
