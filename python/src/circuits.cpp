#include "circuits.hpp"

#include <limits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::python {
namespace {

double plain(const Ohms& ohms, const char* name) {
  if (const auto value = number_of(ohms, name)) return *value;
  throw InvalidArgument(fmt::format(
      "{}: expected one number, the surrogates know equal lines only; got an array", name));
}

// One a terminal.
Vector terminals(const Ohms& ohms, const char* name, Index count) {
  const auto one = number_of(ohms, name);
  Vector values =
      one ? Vector(Vector::Constant(count, *one)) : to_vector(std::get<ArrayLike>(ohms), name);
  if (values.size() != count) {
    throw InvalidArgument(
        fmt::format("{}: expected a number or {} of them, got {}", name, count, values.size()));
  }
  for (const double value : values) {
    if (!(value >= 0)) {
      throw InvalidArgument(fmt::format("{}: expected values >= 0, got {}", name, value));
    }
  }
  return values;
}

// One for all, one a line, or one a segment.
Matrix segments(const Ohms& ohms, const char* name, bool lines_are_columns) {
  if (const auto value = number_of(ohms, name)) return Matrix::Constant(1, 1, *value);
  const ArrayLike& array = std::get<ArrayLike>(ohms);
  const Input<double> input(array, name, 1, 2);
  if (input.axes() == 1 && lines_are_columns) return input.matrix().transpose();
  return input.matrix();
}

}  // namespace

std::optional<double> number_of(const Ohms& ohms, const char* name) {
  if (const auto* value = std::get_if<double>(&ohms)) return *value;
  const Input<double> input(std::get<ArrayLike>(ohms), name, 0, 2);
  if (input.axes() > 0) return std::nullopt;
  return *input.data();
}

WireResistance plain_wires(const WireArguments& wires) {
  return {.source_ohm = plain(wires.source_ohm, "source_ohm"),
          .sink_ohm = plain(wires.sink_ohm, "sink_ohm"),
          .wordline_ohm = plain(wires.wordline_ohm, "wordline_ohm"),
          .bitline_ohm = plain(wires.bitline_ohm, "bitline_ohm")};
}

solver::Circuit make_circuit(Matrix conductance, const WireArguments& wires,
                             const std::string& drive, const std::string& sense) {
  solver::Circuit circuit;
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  const solver::DriveEnds driven = solver::parse_drive_ends(drive);
  const solver::SenseEnds sensed = solver::parse_sense_ends(sense);
  constexpr double open = std::numeric_limits<double>::infinity();
  circuit.conductance = std::move(conductance);
  circuit.wordline_ohm = segments(wires.wordline_ohm, "wordline_ohm", false);
  circuit.bitline_ohm = segments(wires.bitline_ohm, "bitline_ohm", true);
  const Vector source = terminals(wires.source_ohm, "source_ohm", m);
  const Vector sink = terminals(wires.sink_ohm, "sink_ohm", n);
  circuit.left_ohm = circuit.right_ohm = Vector::Constant(m, open);
  circuit.top_ohm = circuit.bottom_ohm = Vector::Constant(n, open);
  if (driven != solver::DriveEnds::right) circuit.left_ohm = source;
  if (driven != solver::DriveEnds::left) circuit.right_ohm = source;
  if (sensed != solver::SenseEnds::top) circuit.bottom_ohm = sink;
  if (sensed != solver::SenseEnds::bottom) circuit.top_ohm = sink;
  solver::check_circuit(circuit);
  return circuit;
}

std::unique_ptr<device::CellModel> make_cells(const std::string& cell,
                                              const CellParameters& parameters) {
  device::CellSettings settings;
  settings.parameters = parameters;
  auto cells = device::make_cell_model(cell, settings);
  if (cell == "linear") return nullptr;
  return cells;
}

}  // namespace xbar::python
