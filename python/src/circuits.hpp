#pragma once

/// The arguments that solver functions share: wires, ends, cells.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <nanobind/stl/map.h>
#include <nanobind/stl/variant.h>

#include <xbar/device/cell_models.hpp>
#include <xbar/solver/circuit.hpp>

#include "arrays.hpp"

namespace xbar::python {

/// One for all, or an array with one for each.
using Ohms = std::variant<double, ArrayLike>;

/// The number, if it is one: an int comes as an array without axes.
[[nodiscard]] std::optional<double> number_of(const Ohms& ohms, const char* name);

struct WireArguments {
  const Ohms& source_ohm;
  const Ohms& sink_ohm;
  const Ohms& wordline_ohm;
  const Ohms& bitline_ohm;
};

/// Equal resistances on all lines, for what takes no others.
/// @throws InvalidArgument naming the one that is an array
[[nodiscard]] WireResistance plain_wires(const WireArguments& wires);

[[nodiscard]] solver::Circuit make_circuit(Matrix conductance, const WireArguments& wires,
                                           const std::string& drive, const std::string& sense);

using CellParameters = std::map<std::string, double>;

/// The cell model of these arguments; empty: linear.
[[nodiscard]] std::unique_ptr<device::CellModel> make_cells(const std::string& cell,
                                                            const CellParameters& parameters);

}  // namespace xbar::python
