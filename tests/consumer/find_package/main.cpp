// Two cells of 1 mS on one bitline, both wordlines driven with 1 V through 100 ohm, 50 ohm at the
// sink. By hand: two branches of 1000 + 100 ohm in parallel, in series with 50 ohm: 1 V / 600 ohm.

#include <cstdio>

#include <xbar/core/version.hpp>
#include <xbar/solver/solve.hpp>

int main() {
  const xbar::Matrix conductance = xbar::Matrix::Constant(2, 1, 1e-3);
  const xbar::Matrix voltage = xbar::Matrix::Constant(2, 1, 1.0);
  const xbar::WireResistance wires{.source_ohm = 100, .sink_ohm = 50};
  const xbar::solver::SolveResult result = xbar::solver::solve(conductance, voltage, wires);
  std::printf("xbar %s\ncurrent = %.6e A\n", xbar::version, result.current(0, 0));
}
