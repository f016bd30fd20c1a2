#pragma once

/// Kirchhoff's current law as the check on a solution, written without the solvers' recursions, and
/// the sensed currents.

#include <string>

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

struct KclResidual {
  double relative = 0;      ///< largest net current into a node / largest cell current
  bool on_wordline = true;  ///< that node: u(i,j) or w(i,j)
  Index i = 0;
  Index j = 0;

  /// "wordline node (i,j)" or "bitline node (i,j)".
  [[nodiscard]] std::string where() const;
};

/// A solution that leaves more than this share of the largest cell current is not accepted.
inline constexpr double kcl_limit = 1e-6;

/// Net current into every node, from its voltages V (m), B (n or empty: 0) and `nodes`.
///
/// Nodes joined by so little resistance that double precision cannot resolve the voltage across it
/// are taken together; nodes that such a resistance joins to a terminal have no law to obey. Across
/// a resistance of exactly 0, a voltage d counts as a net current of d times the largest
/// conductance of a cell. Where cells are so shorted that the voltages do not tell their currents,
/// the scale is the largest current of all branches. 0 if no current flows.
/// @cost 2mn branch currents in vector instructions where no line segment is 0 or too small, and
/// some fifteen times that elsewhere
[[nodiscard]] KclResidual kcl_residual(const Circuit& circuit, const Vector& wordline_voltage,
                                       const Vector& bitline_voltage, const NodeVoltages& nodes);

/// The same for any circuit by groups of joined nodes, the slower way that kcl_residual() takes
/// where its rows will not do.
[[nodiscard]] KclResidual kcl_residual_by_groups(const Circuit& circuit,
                                                 const Vector& wordline_voltage,
                                                 const Vector& bitline_voltage,
                                                 const NodeVoltages& nodes);

/// I(j), n, ampere, from the node voltages, by the way that loses fewer digits: the sum of the
/// bitline's cell currents, or the voltages across its terminals where they conduct less than the
/// cells do. By line_currents.hpp where the bitline has shorted cells, or where neither way leaves
/// 12 digits.
/// @cost 2mn multiply-adds in vector instructions in the usual case
[[nodiscard]] Vector sink_currents(const Circuit& circuit, const Vector& wordline_voltage,
                                   const Vector& bitline_voltage, const NodeVoltages& nodes);

}  // namespace xbar::solver
