#include <algorithm>
#include <optional>

#include <xbar/solver/transient.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "calls.hpp"
#include "circuits.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

struct Transient {
  Array time;
  Array current;
  std::optional<Array> settling_second;
  Index steps = 0;
  Index rejected = 0;
  double largest_error = 0;
  double energy_imbalance = 0;
  std::string brief;
};

Transient transient(const ArrayLike& conductance, const ArrayLike& voltage, double node_farad,
                    double stop_second, Index steps, double rise_second,
                    const std::optional<std::string>& waveform, const Ohms& source_ohm,
                    const Ohms& sink_ohm, const Ohms& wordline_ohm, const Ohms& bitline_ohm,
                    const std::string& drive, const std::string& sense, double coupling_farad,
                    const std::string& cell, const CellParameters& cell_parameters,
                    double tolerance, double settle_tolerance, const ProgressArgument& progress) {
  const solver::Circuit circuit =
      make_circuit(to_matrix(conductance, "conductance"),
                   {source_ohm, sink_ohm, wordline_ohm, bitline_ohm}, drive, sense);
  const solver::TransientInput input{
      to_vector(voltage, "voltage"),
      {},
      {waveform ? device::parse_waveform(*waveform)
                : device::Waveform::step(0, 1, 0, rise_second, std::max(rise_second, stop_second))},
      {}};
  solver::TransientOptions options;
  options.stop_second = stop_second;
  options.steps = steps;
  options.tolerance = tolerance;
  options.settle_tolerance = settle_tolerance;
  options.progress = progress_callback(progress);
  const solver::Capacitance capacitance = solver::make_capacitance(node_farad, coupling_farad);
  const auto cells = make_cells(cell, cell_parameters);
  solver::TransientResult result = interruptible([&] {
    return cells ? solver::transient(circuit, *cells, capacitance, input, options)
                 : solver::transient(circuit, capacitance, input, options);
  });
  Transient found{give(std::move(result.time)),
                  give(std::move(result.current)),
                  {},
                  result.report.steps,
                  result.report.rejected,
                  result.report.largest_error,
                  result.report.energy_imbalance,
                  result.report.brief()};
  if (settle_tolerance > 0) found.settling_second = give(std::move(result.settling_second));
  return found;
}

}  // namespace

void bind_transient(nb::module_& m) {
  nb::class_<Transient>(m, "Transient", "What transient() found.")
      .def_ro("time", &Transient::time, nb::rv_policy::reference, "K+1, second")
      .def_ro("current", &Transient::current, nb::rv_policy::reference,
              "(K+1) x n, ampere, through the sinks")
      .def_ro("settling_second", &Transient::settling_second, nb::rv_policy::reference,
              "n, second; infinity: not by the end; None unless settle_tolerance is given")
      .def_ro("steps", &Transient::steps, "accepted steps")
      .def_ro("rejected", &Transient::rejected, "steps repeated with a shorter one")
      .def_ro("largest_error", &Transient::largest_error,
              "largest estimated error of a step, share of the peak")
      .def_ro("energy_imbalance", &Transient::energy_imbalance,
              "|delivered - dissipated - stored|, share of the largest")
      .def("__repr__",
           [](const Transient& self) { return "<xbar.Transient: " + self.brief + ">"; });

  m.def("transient", &transient, "conductance"_a, "voltage"_a, nb::kw_only(), "node_farad"_a,
        "stop_second"_a, "steps"_a, "rise_second"_a = 0.0, "waveform"_a = nb::none(),
        "source_ohm"_a = 0.0, "sink_ohm"_a = 0.0, "wordline_ohm"_a = 0.0, "bitline_ohm"_a = 0.0,
        "drive"_a = "left", "sense"_a = "bottom", "coupling_farad"_a = 0.0, "cell"_a = "linear",
        "cell_parameters"_a = CellParameters{}, "tolerance"_a = 3e-9, "settle_tolerance"_a = 0.0,
        "progress"_a = nb::none(),
        R"(Bitline currents over time, C dx/dt = b(t) - K x, all nodes at 0 V for t < 0.

conductance, resistances, drive, sense, cell   as solve()
voltage       V, m, volt, reached linearly within rise_second from 0 (0: a jump), or multiplied by
              waveform, "pulse:high=1,width=1e-9" as in `xbar transient --waveform`
node_farad, coupling_farad   of every node to ground, and between neighbouring lines
stop_second, steps   T and K: currents at 0, T/K, ..., T
tolerance     largest estimated error of a step, share of the peak
settle_tolerance   above 0: settling times, to this share of each bitline's final current
progress      called with {phase, done, total, note}; what it raises ends the work, as Ctrl-C does

Steps are TR-BDF2 [Bank1985; Hosea1996]. Arrays are handed over, not copied.
Raises InvalidArgument; NumericalError with the time.)");
}

}  // namespace xbar::python
