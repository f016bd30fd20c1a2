/// A time step against a linear solution of the same array, taken in turns: the machine that one of
/// them has is the machine that the other has.

#include <algorithm>
#include <ctime>
#include <vector>

#include <benchmark/benchmark.h>

#include <xbar/core/random.hpp>
#include <xbar/solver/transient.hpp>

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::solver::Capacitance;
using xbar::solver::Circuit;
using xbar::solver::TransientInput;
using xbar::solver::TransientOptions;
using xbar::solver::TransientReport;

namespace {

constexpr int solves_a_turn = 500;

// Of this process: what others do on the machine in the middle of a turn does not count.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// R_on 20 kohm, on/off 10, 1 ohm a segment, 100 ohm a terminal, 1 fF a node; inputs that rise in
// 1 ps. The counter `per_solve` is the cost of an accepted step, everything included (repeated
// steps, factors, energy, output), in linear solutions; to be at most 1.5 at 64 x 64.
void transient_step(benchmark::State& state) {
  const Index size = state.range(0);
  const xbar::RandomStream stream(1, "bench-transient");
  Matrix conductance(size, size);
  for (Index e = 0; e < conductance.size(); ++e) {
    conductance.data()[e] = stream.uniform(static_cast<std::uint64_t>(e), 5e-6, 5e-5);
  }
  const Circuit circuit = xbar::solver::make_circuit(conductance, {100, 100, 1, 1});
  const Capacitance capacitance = xbar::solver::make_capacitance(1e-15);
  const TransientInput input{
      Vector::Constant(size, 0.3), {}, {xbar::device::Waveform::step(0, 1, 0, 1e-12, 1e-9)}, {}};
  TransientOptions options;
  options.stop_second = 1e-9;
  options.steps = 100;
  std::vector<double> steps;
  std::vector<double> solves;
  TransientReport report;
  for (auto _ : state) {
    const double begin = cpu_seconds();
    report = xbar::solver::transient(circuit, capacitance, input, options).report;
    const double between = cpu_seconds();
    for (int k = 0; k < solves_a_turn; ++k) {
      benchmark::DoNotOptimize(xbar::solver::solve(circuit, {input.wordline_voltage, {}}));
    }
    steps.push_back((between - begin) / static_cast<double>(report.steps));
    solves.push_back((cpu_seconds() - between) / solves_a_turn);
  }
  state.counters["steps"] = static_cast<double>(report.steps);
  state.counters["step_us"] = 1e6 * median(steps);
  state.counters["solve_us"] = 1e6 * median(solves);
  state.counters["per_solve"] = median(steps) / median(solves);
  state.counters["energy"] = report.energy_imbalance;
  state.SetLabel(report.brief());
}
BENCHMARK(transient_step)
    ->Name("solver/transient_step")
    ->Arg(16)
    ->Arg(64)
    ->Arg(128)
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
