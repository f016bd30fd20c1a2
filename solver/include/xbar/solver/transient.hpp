#pragma once

/// What a wired array does over time: node capacitances charged through the wires and the cells.

#include <limits>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/device/waveform.hpp>
#include <xbar/solver/circuit.hpp>
#include <xbar/solver/solve.hpp>

namespace xbar::solver {

/// Capacitances of the nodes, farad, each >= 0 and finite. A 1 x 1 matrix stands for all of its
/// kind, an empty one for 0.
struct Capacitance {
  Matrix wordline_farad;           ///< from u(i,j) to ground: 1 x 1 or m x n
  Matrix bitline_farad;            ///< from w(i,j) to ground: 1 x 1 or m x n
  Matrix wordline_coupling_farad;  ///< u(i,j) -- u(i+1,j), neighbours: 1 x 1 or (m-1) x n
  Matrix bitline_coupling_farad;   ///< w(i,j) -- w(i,j+1), neighbours: 1 x 1 or m x (n-1)
};

/// The same capacitance at every node, and optionally between all neighbours.
[[nodiscard]] Capacitance make_capacitance(double node_farad, double coupling_farad = 0);

/// @throws InvalidArgument naming the matrix of wrong shape or the entry that is negative or not
/// finite.
void check_capacitance(const Capacitance& capacitance, Index num_wordlines, Index num_bitlines);

/// What drives the terminals: a voltage times a waveform each, V(i) s_i(t) and B(j) s_j(t) for
/// t >= 0, and 0 V before.
struct TransientInput {
  Vector wordline_voltage;  ///< V, m, volt
  Vector bitline_voltage;   ///< B, n, volt; empty: all 0 (virtual ground)
  /// Shapes (1 V stands for V(i)): one for all wordlines, or one for each.
  std::vector<device::Waveform> wordline;
  /// Shapes for B: none (that of the wordlines, if it is one), one, or one for each bitline.
  std::vector<device::Waveform> bitline;
};

struct TransientOptions {
  double stop_second = 0;  ///< T > 0
  Index steps = 1;         ///< K >= 1: currents at 0, T/K, ..., T
  /// Largest estimated error of a step, as a share of the peak: of the terminal voltages on the
  /// wordlines, of the bitline voltages and the sink currents, each the larger one of what the
  /// largest input causes at rest and what was seen so far. Errors add up over about
  /// tolerance^(-1/3) steps: with the default, currents are good to 1e-6 of this peak, and energies
  /// balance to 1e-6 of what is dissipated and what was stored at most.
  double tolerance = 3e-9;
  /// 0: steps of the length that the tolerance asks for. Otherwise steps of this length, or
  /// slightly less to end where a waveform has a corner, whatever their error.
  double fixed_step_second = 0;
  /// Above 0: settling times, to this share of each bitline's final current.
  double settle_tolerance = 0;
  /// Keep the voltages of all nodes at T.
  bool node_voltages = false;
  ProgressCallback progress = {};
};

struct TransientReport {
  Index steps = 0;       ///< accepted
  Index rejected = 0;    ///< repeated with a shorter step
  Index factors = 0;     ///< matrices: one a step length, or one a tangent circuit
  Index solves = 0;      ///< linear systems: two a step, or for cells that are not linear all of
                         ///< Newton's; and one for each error that is filtered
  Index iterations = 0;  ///< conjugate-gradient steps in all of them
  double largest_error = 0;     ///< largest estimated error of an accepted step, share of the peak
  double delivered_joule = 0;   ///< by all terminals
  double dissipated_joule = 0;  ///< in cells, segments and terminals
  double stored_joule = 0;      ///< in the capacitances, at T
  double energy_imbalance = 0;  ///< |delivered - dissipated - stored| / the largest of them
  double seconds = 0;           ///< time of the computation

  /// One line for people.
  [[nodiscard]] std::string brief() const;
};

struct TransientResult {
  Vector time;     ///< K+1, second
  Matrix current;  ///< (K+1) x n, ampere: through the sink resistors, without capacitor currents
  /// n, second: when the current of a bitline is within the settle tolerance for good. Infinite:
  /// not by T. Empty if not asked for.
  Vector settling_second;
  Vector final_current;  ///< n, ampere: at rest with the inputs of time T, if settling is asked
                         ///< for
  NodeVoltages nodes;    ///< at T, if asked for
  TransientReport report;
};

/// Currents over time of an array with linear cells,
///
///     C dx/dt = b(t) - K x        x: all node voltages, 0 V for t < 0,
///
/// K x = b being the equations of docs/conventions.md. Steps are TR-BDF2 [Bank1985; Hosea1996]:
/// implicit, second order, L-stable, both stages with the matrix K + (2 + sqrt 2) C / h, whose
/// systems the line method solves. They end at every corner of a waveform. Where a waveform jumps,
/// the input rises within 1e-10 T, and the current of that moment is the one before.
///
/// Settled means: |I_j(t) - I_j(final)| <= settle_tolerance |I_j(final)|, where final currents
/// below a thousandth of the peak current count as that.
/// @throws InvalidArgument naming the argument, or if the circuit has shorted cells; NumericalError
/// with the time if the steps become too short or a system cannot be solved
/// @cost a step takes about as long as solve() of that array
[[nodiscard]] TransientResult transient(const Circuit& circuit, const Capacitance& capacitance,
                                        const TransientInput& input,
                                        const TransientOptions& options);

/// The same with cells whose current I(v) is no multiple of their voltage: i(u - w) takes the place
/// of G (u - w) in K x. Each stage is solved by Newton's method, whose tangent circuits the same
/// solver takes, until the cells agree with their tangents to a hundredth of the tolerance (2-norm
/// of the currents of all cells, share of the peak). Where that fails, the step is shortened.
/// Energies are as above, with I v in the cells.
/// @param circuit  its conductances are the cells' G, siemens, finite
/// @throws as above; the message of a NumericalError also says where Newton's residual is largest
/// @cost a step takes two to four solutions of a factored array, with its factors
[[nodiscard]] TransientResult transient(const Circuit& circuit, const device::CellModel& cells,
                                        const Capacitance& capacitance, const TransientInput& input,
                                        const TransientOptions& options);

}  // namespace xbar::solver
