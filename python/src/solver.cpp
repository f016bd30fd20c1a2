#include <optional>
#include <utility>

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <xbar/core/error.hpp>
#include <xbar/solver/branch_currents.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/solver/spice_netlist.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "circuits.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

struct Solved {
  Array current;
  std::optional<Array> wordline_voltage;
  std::optional<Array> bitline_voltage;
  std::optional<Array> cell_current;
  std::optional<Array> wordline_current;
  std::optional<Array> bitline_current;
  std::optional<Array> ir_drop;
  std::string method;
  bool fell_back = false;
  int iterations = 0;
  double kcl_residual = 0;
  std::string brief;
};

struct Answer {
  Matrix current;
  std::vector<solver::NodeVoltages> nodes;
  std::vector<Matrix> cell_current;  // empty: linear cells
};

struct Fields {
  std::vector<Matrix> wordline_voltage, bitline_voltage, cell, wordline, bitline, drop;
};

Fields fields_of(const solver::Circuit& circuit, const solver::TerminalVoltage& voltage,
                 Answer& answer, bool branches) {
  Fields fields;
  for (std::size_t k = 0; k < answer.nodes.size(); ++k) {
    solver::NodeVoltages& nodes = answer.nodes[k];
    if (branches) {
      const Vector v = voltage.wordline.col(static_cast<Index>(k));
      const Vector b = voltage.bitline_input(static_cast<Index>(k), circuit.bitlines());
      const solver::Circuit same =
          answer.cell_current.empty()
              ? circuit
              : solver::chord_circuit(circuit, nodes, answer.cell_current[k]);
      solver::BranchCurrents currents = solver::branch_currents(same, v, b, nodes);
      fields.drop.push_back(solver::ir_drop(circuit, v, b, nodes));
      fields.cell.push_back(std::move(currents.cell));
      fields.wordline.push_back(std::move(currents.wordline));
      fields.bitline.push_back(std::move(currents.bitline));
    }
    fields.wordline_voltage.push_back(std::move(nodes.wordline));
    fields.bitline_voltage.push_back(std::move(nodes.bitline));
  }
  return fields;
}

Answer answer_of(solver::Circuit circuit, const device::CellModel* cells,
                 const solver::TerminalVoltage& voltage, solver::SolveMethod method, bool nodes,
                 Solved& solved) {
  const auto note = [&](const auto& report, std::string_view name, int iterations) {
    solved.method = name;
    solved.fell_back = report.fell_back;
    solved.iterations = iterations;
    solved.kcl_residual = report.kcl_residual;
    solved.brief = report.brief();
  };
  if (cells == nullptr) {
    solver::SolveOptions options;
    options.method = method;
    options.node_voltages = nodes;
    solver::SolveResult result = solver::solve(std::move(circuit), voltage, options);
    note(result.report, solver::method_name(result.report.method), result.report.iterations);
    return {std::move(result.current), std::move(result.nodes), {}};
  }
  solver::NewtonOptions options;
  options.method =
      method == solver::SolveMethod::line ? solver::NewtonMethod::line : solver::NewtonMethod::klu;
  options.node_voltages = nodes;
  solver::NewtonResult result = solver::solve_newton(circuit, *cells, voltage, options);
  note(result.report, solver::newton_method_name(result.report.method), result.report.iterations());
  return {std::move(result.current), std::move(result.nodes), std::move(result.cell_current)};
}

Solved solve(const ArrayLike& conductance, const ArrayLike& voltage, const Ohms& source_ohm,
             const Ohms& sink_ohm, const Ohms& wordline_ohm, const Ohms& bitline_ohm,
             const std::string& drive, const std::string& sense,
             const std::optional<ArrayLike>& bitline_voltage, const std::string& method,
             const std::string& cell, const CellParameters& cell_parameters, bool node_voltages,
             bool branch_currents) {
  solver::Circuit circuit =
      make_circuit(to_matrix(conductance, "conductance"),
                   {source_ohm, sink_ohm, wordline_ohm, bitline_ohm}, drive, sense);
  const Input<double> v(voltage, "voltage", 1, 2);
  const bool single = v.axes() == 1;
  solver::TerminalVoltage terminals{v.matrix(), {}};
  if (bitline_voltage) terminals.bitline = to_columns(*bitline_voltage, "bitline_voltage");
  const solver::SolveMethod wanted = solver::parse_method(method);
  const auto cells = make_cells(cell, cell_parameters);
  Solved solved;
  Fields fields;
  Answer answer;
  interruptible([&] {
    answer = answer_of(branch_currents ? circuit : std::move(circuit), cells.get(), terminals,
                       wanted, node_voltages || branch_currents, solved);
    fields = fields_of(circuit, terminals, answer, branch_currents);
  });
  solved.current = give(std::move(answer.current), single);
  if (node_voltages || branch_currents) {
    solved.wordline_voltage = give(std::move(fields.wordline_voltage), single);
    solved.bitline_voltage = give(std::move(fields.bitline_voltage), single);
  }
  if (branch_currents) {
    solved.cell_current = give(std::move(fields.cell), single);
    solved.wordline_current = give(std::move(fields.wordline), single);
    solved.bitline_current = give(std::move(fields.bitline), single);
    solved.ir_drop = give(std::move(fields.drop), single);
  }
  return solved;
}

Matrix exact(Matrix conductance, const WireArguments& wires, const std::string& drive,
             const std::string& sense, bool backward, Terminals terminals) {
  const bool swapped = backward && terminals == Terminals::swap;
  const WireArguments placed{swapped ? wires.sink_ohm : wires.source_ohm,
                             swapped ? wires.source_ohm : wires.sink_ohm, wires.wordline_ohm,
                             wires.bitline_ohm};
  const solver::Circuit circuit = make_circuit(std::move(conductance), placed, drive, sense);
  // Read backward between the same terminals it is the transpose: reciprocity.
  return interruptible([&]() -> Matrix {
    Matrix forward = solver::effective_conductance(circuit);
    if (backward) return forward.transpose();
    return forward;
  });
}

Matrix modelled(surrogate::ModelKind kind, Matrix conductance, const WireResistance& wires,
                bool backward, Terminals terminals, const Vector& operating_voltage) {
  return interruptible([&]() -> Matrix {
    solver::TransposedArray array{std::move(conductance), wires};
    if (backward) array = solver::transposed_array(array.conductance, wires, terminals);
    // The transposed array counts its inputs from the other end.
    Vector inputs = operating_voltage;
    if (backward) inputs = operating_voltage.reverse();
    const Matrix effective =
        surrogate::effective_conductance(kind, array.conductance, array.wires, inputs);
    return backward ? solver::from_transposed_order(effective) : effective;
  });
}

Array effective(const ArrayLike& conductance, const Ohms& source_ohm, const Ohms& sink_ohm,
                const Ohms& wordline_ohm, const Ohms& bitline_ohm, const std::string& drive,
                const std::string& sense, const std::string& model, const std::string& direction,
                const std::string& terminals, const std::optional<ArrayLike>& operating_voltage) {
  const surrogate::ModelKind kind = surrogate::parse_model(model);
  const bool backward = parse_direction(direction) == Direction::backward;
  const Terminals read = parse_terminals(terminals);
  const WireArguments wires{source_ohm, sink_ohm, wordline_ohm, bitline_ohm};
  if (operating_voltage && !surrogate::model_info(kind).takes_inputs) {
    throw InvalidArgument(
        "operating_voltage: expected with a model that takes inputs, got it "
        "with model '" +
        model + "'");
  }
  Matrix g = to_matrix(conductance, "conductance");
  if (kind == surrogate::ModelKind::exact) {
    return give(exact(std::move(g), wires, drive, sense, backward, read));
  }
  if (drive != "left" || sense != "bottom") {
    throw InvalidArgument(
        "drive, sense: expected left and bottom, the ends that surrogates know; "
        "got '" +
        drive + "' and '" + sense + "'");
  }
  Vector inputs = Vector::Ones(backward ? g.cols() : g.rows());
  if (operating_voltage) {
    const Vector given = to_vector(*operating_voltage, "operating_voltage");
    if (given.size() != inputs.size() || !given.allFinite() || given.isZero(0)) {
      throw InvalidArgument("operating_voltage: expected " + std::to_string(inputs.size()) +
                            " finite voltages, not all 0, got " + std::to_string(given.size()));
    }
    inputs = given;
  }
  solver::check_conductance(g);
  return give(modelled(kind, std::move(g), plain_wires(wires), backward, read, inputs));
}

std::string spice_netlist(const ArrayLike& conductance, const ArrayLike& voltage,
                          const Ohms& source_ohm, const Ohms& sink_ohm, const Ohms& wordline_ohm,
                          const Ohms& bitline_ohm, const std::string& drive,
                          const std::string& sense, const std::string& cell,
                          const CellParameters& cell_parameters) {
  const solver::Circuit circuit =
      make_circuit(to_matrix(conductance, "conductance"),
                   {source_ohm, sink_ohm, wordline_ohm, bitline_ohm}, drive, sense);
  device::CellSettings settings;
  settings.parameters = cell_parameters;
  const auto cells = device::make_cell_model(cell, settings);
  const solver::TerminalVoltage terminals{to_columns(voltage, "voltage").leftCols(1), {}};
  Solved ignored;
  const auto bent = make_cells(cell, cell_parameters);
  return interruptible([&] {
    const Answer answer =
        answer_of(circuit, bent.get(), terminals, solver::SolveMethod::line, false, ignored);
    return solver::spice_netlist(circuit, *cells, terminals.wordline.col(0), {},
                                 answer.current.col(0));
  });
}

}  // namespace

void bind_solver(nb::module_& m) {
  nb::class_<Solved>(m, "Solution",
                     "What solve() found. Arrays of a single input vector lack the "
                     "axis of the input vectors.")
      .def_ro("current", &Solved::current, nb::rv_policy::reference,
              "I, n or n x p, ampere, positive into the sinks")
      .def_ro("wordline_voltage", &Solved::wordline_voltage, nb::rv_policy::reference,
              "u, m x n or p x m x n, volt")
      .def_ro("bitline_voltage", &Solved::bitline_voltage, nb::rv_policy::reference,
              "w, m x n or p x m x n, volt")
      .def_ro("cell_current", &Solved::cell_current, nb::rv_policy::reference,
              "m x n or p x m x n, ampere")
      .def_ro("wordline_current", &Solved::wordline_current, nb::rv_policy::reference,
              "m x (n+1), to the right, ampere")
      .def_ro("bitline_current", &Solved::bitline_current, nb::rv_policy::reference,
              "(m+1) x n, downwards, ampere")
      .def_ro("ir_drop", &Solved::ir_drop, nb::rv_policy::reference,
              "m x n or p x m x n, volt: what ideal wires would put across a cell less what it has")
      .def_ro("method", &Solved::method, "that gave the answer: line, direct or klu")
      .def_ro("fell_back", &Solved::fell_back, "whether line could not, and another answered")
      .def_ro("iterations", &Solved::iterations, "of the input vector that took most")
      .def_ro("kcl_residual", &Solved::kcl_residual,
              "largest net current into a node, share of the largest cell current")
      .def("__repr__", [](const Solved& self) { return "<xbar.Solution: " + self.brief + ">"; });

  m.def("solve", &solve, "conductance"_a, "voltage"_a, nb::kw_only(), "source_ohm"_a = 0.0,
        "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0, "drive"_a = "left",
        "sense"_a = "bottom", "bitline_voltage"_a = nb::none(), "method"_a = "line",
        "cell"_a = "linear", "cell_parameters"_a = CellParameters{}, "node_voltages"_a = false,
        "branch_currents"_a = false,
        R"(Bitline currents of a wired array: Kirchhoff's current law at all 2mn nodes.

With all resistances 0 and linear cells, I = G^T V. docs/conventions.md draws the circuit.

conductance      G, m x n, siemens, row = wordline; 0 is an open cell, infinity a shorted one
voltage          V, m or m x p, volt: p input vectors
source_ohm, sink_ohm          ohm, one or one a terminal (m, n); infinity: not connected
wordline_ohm, bitline_ohm     ohm of a segment: one, one a line, or one each (m x (n-1), (m-1) x n)
drive, sense     ends that are driven (left, right, both) and sensed (bottom, top, both)
bitline_voltage  B, n or n x p, volt, of the bitlines' terminals; default: 0
method           line (preconditioned iteration) or direct (sparse factorisation; non-linear: KLU)
cell             linear, sinh, series-resistance, transistor or selector, with cell_parameters
node_voltages    keep the voltages of all nodes
branch_currents  also the currents of all branches and the IR-drop map

Not copied: G and V are read where they lie if they are float64 in C order; the circuit keeps one
copy of its own. Results are handed over. Other Python threads run meanwhile.

Raises InvalidArgument naming the argument, NumericalError if no method reaches the answer.)");

  m.def("effective", &effective, "conductance"_a, nb::kw_only(), "source_ohm"_a = 0.0,
        "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0, "drive"_a = "left",
        "sense"_a = "bottom", "model"_a = "exact", "direction"_a = "forward",
        "terminals"_a = "keep", "operating_voltage"_a = nb::none(),
        R"(Effective conductance: the matrix with I = G_eff^T V for every V.

conductance, resistances, drive, sense   as solve(); models other than exact take equal lines
model       exact, or a surrogate (surrogate_models())
direction   forward, or backward: inputs on the bitlines' sense ends
terminals   keep or swap: whether driver and sense amplifier change places in a backward read
operating_voltage   typical inputs, volt, for models that take them; default: all equal

Returns m x n (forward) or n x m (backward), siemens, handed over. As solve(), G is copied once.
Raises InvalidArgument, NumericalError.)");

  m.def("spice_netlist", &spice_netlist, "conductance"_a, "voltage"_a, nb::kw_only(),
        "source_ohm"_a = 0.0, "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0,
        "drive"_a = "left", "sense"_a = "bottom", "cell"_a = "linear",
        "cell_parameters"_a = CellParameters{},
        R"(The array as a netlist for ngspice, which runs it as it is (ngspice -b FILE).

Arguments as solve(), with one input vector. The expected currents stand in comments.
Raises InvalidArgument, NumericalError.)");
}

}  // namespace xbar::python
