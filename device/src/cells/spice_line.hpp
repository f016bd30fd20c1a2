#pragma once

/// Elements of a cell in an ngspice netlist.

#include <string>
#include <string_view>

#include <fmt/format.h>

#include <xbar/device/cell_model.hpp>

namespace xbar::device {

/// The node between the resistor and the behavioural source.
inline std::string spice_node(const NetlistCell& cell) {
  return fmt::format("c_{}_{}", cell.i, cell.j);
}

inline std::string spice_resistor(const NetlistCell& cell, std::string_view from,
                                  std::string_view to, double ohm) {
  return fmt::format("rc_{}_{} {} {} {:.17g}\n", cell.i, cell.j, from, to, ohm);
}

/// @param current  expression, ampere
inline std::string spice_source(const NetlistCell& cell, std::string_view from, std::string_view to,
                                std::string_view current) {
  return fmt::format("bc_{}_{} {} {} i={}\n", cell.i, cell.j, from, to, current);
}

/// I = ampere sinh(rate x), x the voltage from one node to the other, rate 1/volt.
inline std::string spice_sinh(const NetlistCell& cell, std::string_view from, std::string_view to,
                              double ampere, double rate) {
  return spice_source(cell, from, to,
                      fmt::format("{:.17g}*sinh({:.17g}*v({},{}))", ampere, rate, from, to));
}

}  // namespace xbar::device
