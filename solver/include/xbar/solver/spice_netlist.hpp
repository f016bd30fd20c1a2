#pragma once

/// The array as a circuit that others can simulate.

#include <string>

#include <xbar/core/matrix.hpp>
#include <xbar/device/cell_model.hpp>
#include <xbar/solver/circuit.hpp>

namespace xbar::solver {

/// Netlist of a wired array for ngspice, which runs it as it is (`ngspice -b FILE`) and prints the
/// bitline currents i(vk_0), i(vk_1), ... to 16 digits.
///
/// Nodes: s_i driver, u_i_j and w_i_j wordline and bitline nodes, c_i_j inner node of a cell of two
/// elements, k_j terminal of bitline j. Elements: v_i inputs; rs_i and rr_i left and right
/// terminals; rw_i_j and rb_i_j wordline and bitline segments; rc_i_j and bc_i_j resistor and
/// behavioural source of a cell; rt_j and rk_j top and bottom terminals; vk_j bitline voltages and
/// ammeters. Both ends of a line lead to its one terminal node, so that i(vk_j) is all that bitline
/// j delivers.
///
/// Nodes that a resistance of exactly 0 or a shorted cell joins have one name, the first of them in
/// the order s, k, u, w. What carries no current is left out: open cells, broken segments, ends
/// that are not connected, v_i and vk_j of a line without a terminal, elements between merged
/// nodes.
/// @param cells            what the cells let through at their conductances
/// @param wordline_voltage V, m, volt   @param bitline_voltage B, n, volt, or empty: all 0
/// @param current          expected I, n, ampere, written as comments
/// @throws InvalidArgument as check_circuit, check_voltage and CellModel::spice_elements, if
/// `current` has not n entries, or if two terminals are joined without any resistance: nothing
/// determines their currents
[[nodiscard]] std::string spice_netlist(const Circuit& circuit, const device::CellModel& cells,
                                        const Vector& wordline_voltage,
                                        const Vector& bitline_voltage, const Vector& current);

}  // namespace xbar::solver
