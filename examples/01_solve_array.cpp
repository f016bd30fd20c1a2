/// A 4 x 3 array with resistive wires: which current reaches each sense amplifier?
///
///   build/release/examples/example_01_solve_array
///   -> bitline 2: 23.0... uA, ideal wires 26.4 uA

#include <fmt/format.h>

#include <xbar/solver/solve.hpp>

int main() {
  xbar::Matrix conductance(4, 3);  // siemens; a row is a wordline
  conductance << 10e-6, 50e-6, 20e-6, 40e-6, 30e-6, 25e-6, 20e-6, 10e-6, 50e-6, 50e-6, 20e-6, 5e-6;
  xbar::Matrix voltage(4, 1);  // volt
  voltage << 0.3, 0.0, 0.4, 0.08;
  const xbar::WireResistance wires{
      .source_ohm = 1000, .sink_ohm = 500, .wordline_ohm = 50, .bitline_ohm = 50};

  const auto result = xbar::solver::solve(conductance, voltage, wires);
  const xbar::Matrix ideal = conductance.transpose() * voltage;
  for (xbar::Index j = 0; j < 3; ++j) {
    fmt::print("bitline {}: {:.4f} uA, ideal wires {:.1f} uA\n", j, 1e6 * result.current(j, 0),
               1e6 * ideal(j, 0));
  }
  fmt::print("{}\n", result.report.brief());
}
