#pragma once

/// Kirchhoff's current law as the check on a solution, written without the solvers' recursions.

#include <string>

#include <xbar/solver/solve.hpp>

namespace xbar::solver {

struct KclResidual {
  double relative = 0;  ///< largest net current into a node / largest cell current; 0 if none flows
  std::string where;    ///< that node, "wordline node (i,j)" or "bitline node (i,j)"
};

/// A solution that leaves more than this share of the largest cell current is not accepted.
inline constexpr double kcl_limit = 1e-6;

/// Net current into every node. Nodes joined by so little resistance that double precision cannot
/// resolve the voltage across it are taken together; nodes held by such a terminal have no law to
/// obey.
[[nodiscard]] KclResidual kcl_residual(const Eigen::Ref<const Matrix>& conductance,
                                       const WireResistance& wires, const Vector& voltage,
                                       const NodeVoltages& nodes);

/// I(j) from the node voltages, by the way that loses fewer digits: the sum of the bitline's cell
/// currents, or the voltage across the sink where that is the larger resistance.
[[nodiscard]] Vector sink_currents(const Eigen::Ref<const Matrix>& conductance,
                                   const WireResistance& wires, const NodeVoltages& nodes);

}  // namespace xbar::solver
