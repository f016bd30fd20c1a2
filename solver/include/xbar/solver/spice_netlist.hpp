#pragma once

/// The array as a circuit that others can simulate.

#include <string>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::solver {

/// Netlist of a wired array with linear cells for ngspice, which runs it as it is (`ngspice -b
/// FILE`) and prints the bitline currents i(vk_0), i(vk_1), ... to 16 digits.
///
/// Nodes: s_i driver, u_i_j and w_i_j wordline and bitline nodes, k_j virtual ground of bitline j.
/// Elements: v_i inputs, rs_i, rw_i_j, rc_i_j, rb_i_j, rk_j resistors, vk_j ammeters. A resistance
/// of exactly 0 is no element: its nodes have one name. An open cell (G = 0) is left out.
/// @param conductance  G, m x n, siemens   @param voltage  V, m, volt
/// @param current      expected I, n, ampere, written as comments
/// @throws InvalidArgument as solve(), or if `current` has not n entries
[[nodiscard]] std::string spice_netlist(const Matrix& conductance, const Vector& voltage,
                                        const WireResistance& wires, const Vector& current);

}  // namespace xbar::solver
