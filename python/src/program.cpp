#include <algorithm>
#include <optional>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/solver/program.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "circuits.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

// Without a ladder the pulses are measured on the cell, adapted, and these go with them.
constexpr Index measured_max_pulses = 500;
constexpr Index measured_passes = 10;

struct Programmed {
  Array conductance;
  Array reading;
  Array error;
  Array pulses;
  Array outcome;
  Index reached = 0;
  Index out_of_pulses = 0;
  Index stuck = 0;
  Index disturbed_count = 0;
  double worst_error = 0;
  double mean_error = 0;
  Index pulse_count = 0;
  double pulse_second = 0;
  double delivered_joule = 0;
};

solver::PulseLadder ladder_of(const std::map<std::string, double>& values, const char* name) {
  solver::PulseLadder ladder;
  for (const auto& [key, value] : values) {
    if (key == "pulse_second") {
      ladder.pulse_second = value;
    } else if (key == "start_volt") {
      ladder.start_volt = value;
    } else if (key == "step_volt") {
      ladder.step_volt = value;
    } else if (key == "max_volt") {
      ladder.max_volt = value;
    } else {
      throw InvalidArgument(std::string(name) +
                            ": expected pulse_second, start_volt, step_volt or max_volt, got '" +
                            key + "'");
    }
  }
  return ladder;
}

solver::ArrayState initial_state(const device::DynamicCell& cell, const Ohms& initial, Index m,
                                 Index n) {
  if (const auto fraction = number_of(initial, "initial")) {
    return solver::array_state_of_fraction(cell, m, n, *fraction);
  }
  const Matrix conductance = to_matrix(std::get<ArrayLike>(initial), "initial");
  if (conductance.rows() != m || conductance.cols() != n) {
    throw InvalidArgument("initial: expected the shape of targets, " + std::to_string(m) + " x " +
                          std::to_string(n) + ", got " + std::to_string(conductance.rows()) +
                          " x " + std::to_string(conductance.cols()));
  }
  return solver::array_state_of_conductance(cell, conductance);
}

Programmed program(const ArrayLike& targets, const std::string& model,
                   const CellParameters& parameters, const Ohms& initial, const Ohms& source_ohm,
                   const Ohms& sink_ohm, const Ohms& wordline_ohm, const Ohms& bitline_ohm,
                   const std::string& drive, const std::string& sense, const std::string& bias,
                   const std::string& by, const std::string& read, double tolerance,
                   const std::optional<std::map<std::string, double>>& pulses,
                   const std::optional<std::map<std::string, double>>& reset_pulses,
                   const std::optional<Index>& max_pulses, const std::optional<Index>& passes,
                   double step_tolerance, const ProgressArgument& progress) {
  const auto cell = device::make_dynamic_cell(model, parameters);
  const Matrix wanted = to_matrix(targets, "targets");
  const solver::Circuit circuit =
      make_circuit(Matrix::Ones(wanted.rows(), wanted.cols()),
                   {source_ohm, sink_ohm, wordline_ohm, bitline_ohm}, drive, sense);
  solver::ProgramState state =
      solver::start_program(*cell, initial_state(*cell, initial, wanted.rows(), wanted.cols()));
  solver::ProgramOptions options;
  options.tolerance = tolerance;
  options.bias = solver::parse_bias(bias);
  options.order = solver::parse_program_order(by);
  options.read = solver::parse_program_read(read);
  options.write.step_tolerance = step_tolerance;
  options.progress = progress_callback(progress);
  if (reset_pulses && !pulses) {
    throw InvalidArgument("reset_pulses: expected together with pulses, got it alone");
  }
  if (pulses) {
    options.set = ladder_of(*pulses, "pulses");
    options.reset = reset_pulses ? ladder_of(*reset_pulses, "reset_pulses") : options.set;
  }
  const solver::ProgramReport report = interruptible([&] {
    if (!pulses) {
      solver::suggest_pulses(circuit, *cell, wanted, options);
      options.max_pulses = measured_max_pulses;
      options.passes = measured_passes;
    }
    options.max_pulses = max_pulses.value_or(options.max_pulses);
    options.passes = passes.value_or(options.passes);
    return solver::program(circuit, *cell, wanted, options, state);
  });
  return {give(Matrix(report.conductance)),
          give(Matrix(report.reading)),
          give(Matrix(report.error)),
          give(std::move(state.pulses)),
          give(std::move(state.outcome)),
          report.reached,
          report.out_of_pulses,
          report.stuck,
          report.disturbed_count,
          report.worst_error,
          report.mean_error,
          state.pulse_count,
          state.pulse_second,
          state.energy.delivered_joule};
}

}  // namespace

void bind_program(nb::module_& m) {
  nb::class_<Programmed>(m, "Programmed", "What program() came to; arrays are m x n.")
      .def_ro("conductance", &Programmed::conductance, nb::rv_policy::reference,
              "of the cells themselves, siemens")
      .def_ro("reading", &Programmed::reading, nb::rv_policy::reference, "as read, siemens")
      .def_ro("error", &Programmed::error, nb::rv_policy::reference, "reading / target - 1")
      .def_ro("pulses", &Programmed::pulses, nb::rv_policy::reference,
              "that each cell was selected for")
      .def_ro("outcome", &Programmed::outcome, nb::rv_policy::reference,
              "0 waiting, 1 reached, 2 out of pulses, 3 stuck, 4 open")
      .def_ro("reached", &Programmed::reached, "cells within tolerance at the end")
      .def_ro("out_of_pulses", &Programmed::out_of_pulses, "cells whose budget is used up")
      .def_ro("stuck", &Programmed::stuck, "cells that the largest pulse moves no more")
      .def_ro("disturbed_count", &Programmed::disturbed_count,
              "cells that others' pulses took beyond tolerance")
      .def_ro("worst_error", &Programmed::worst_error, "largest |error|")
      .def_ro("mean_error", &Programmed::mean_error, "mean |error|")
      .def_ro("pulse_count", &Programmed::pulse_count, "of all pulses")
      .def_ro("pulse_second", &Programmed::pulse_second, "time of all pulses, second")
      .def_ro("delivered_joule", &Programmed::delivered_joule, "energy of all pulses, joule");

  m.def("program", &program, "targets"_a, "model"_a, nb::kw_only(),
        "parameters"_a = CellParameters{}, "initial"_a = 0.0, "source_ohm"_a = 0.0,
        "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0, "drive"_a = "left",
        "sense"_a = "bottom", "bias"_a = "v/2", "by"_a = "cell", "read"_a = "ideal",
        "tolerance"_a = 0.05, "pulses"_a = nb::none(), "reset_pulses"_a = nb::none(),
        "max_pulses"_a = nb::none(), "passes"_a = nb::none(), "step_tolerance"_a = 1e-3,
        "progress"_a = nb::none(),
        R"(Writes conductances into a wired array: pulses, program and verify.

targets     m x n, siemens
model       vteam, yakopcic, stanford-pku or jart-vcm-v1b, with `parameters` that differ
initial     state to start from, 0 (off) to 1 (on), or conductances, m x n, siemens
bias        unselected lines: v/2, v/3, grounded or floating
by, read    cell, row or column; ideal, or wires (reads through the array)
tolerance   |reading / target - 1| that will do
pulses, reset_pulses   ladders {pulse_second, start_volt, step_volt, max_volt}; default: measured
            on the cell and adapted, with up to 500 pulses a pass and 10 passes
progress    called with {phase, done, total, note}; what it raises ends the work, as Ctrl-C does

Results are handed over. Raises InvalidArgument naming the cell whose target it cannot have,
NumericalError.)");
}

}  // namespace xbar::python
