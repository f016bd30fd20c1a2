// Pulses to a plane of 512 x 512 cells (device/pulsed_cells.hpp), one thread. Counter: nanoseconds
// a cell. Rows are device/pulses/WHAT, with 1 to 3 pulses to every cell unless said.

#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <xbar/device/pulse_presets.hpp>
#include <xbar/device/pulsed_cells.hpp>

namespace {

using xbar::Index;
using xbar::MatrixF;
using xbar::RandomStream;
using xbar::device::PulsedCells;
using xbar::device::PulseDevice;

constexpr Index side = 512;

struct Plane {
  MatrixF state = MatrixF::Constant(side, side, 0.5F);
  MatrixF up = MatrixF::Zero(side, side);
  MatrixF down = MatrixF::Zero(side, side);

  // Of each cell, with the probability given, 1 to 3 pulses up or down.
  explicit Plane(double share) {
    const RandomStream stream(1, "pulses");
    for (Index k = 0; k < state.size(); ++k) {
      const auto index = static_cast<std::uint64_t>(k);
      if (stream.substream(1).uniform(index) > share) continue;
      const auto pulses = static_cast<float>(1 + stream.substream(2).below(index, 3));
      (stream.substream(3).uniform(index) < 0.5 ? up : down).data()[k] = pulses;
    }
  }
};

void count_cells(benchmark::State& state) {
  state.counters["ns_per_cell"] = benchmark::Counter(
      static_cast<double>(side * side) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void pulse_planes(benchmark::State& state, const PulseDevice& device, double share) {
  PulsedCells cells(std::make_shared<const PulseDevice>(device), side, side,
                    RandomStream(2, "cells"));
  Plane plane(share);
  for (Index line = 0; line < side; ++line) {
    cells.set(line, 0, {plane.state.data() + line * side, side});
  }
  const RandomStream noise(3, "noise");
  std::uint64_t event = 0;
  for (auto _ : state) {
    const RandomStream own = noise.substream(event++);
    for (Index line = 0; line < side; ++line) {
      const Index at = line * side;
      cells.pulse(line, 0, {plane.state.data() + at, side}, {plane.up.data() + at, side},
                  {plane.down.data() + at, side}, own);
    }
    std::swap(plane.up, plane.down);  // or the cells would end at their bounds
    benchmark::ClobberMemory();
  }
  state.counters["ns_per_cell"] = benchmark::Counter(
      static_cast<double>(side * side) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// What the noise alone costs.
void draw_normals(benchmark::State& state) {
  MatrixF values(side, side);
  const RandomStream noise(3, "noise");
  std::uint64_t event = 0;
  for (auto _ : state) {
    xbar::fill_normal(noise.substream(event++), 0,
                      {values.data(), static_cast<std::size_t>(values.size())});
    benchmark::ClobberMemory();
  }
  count_cells(state);
}

void add(const std::string& what, const PulseDevice& device, double share = 1) {
  benchmark::RegisterBenchmark(("device/pulses/" + what).c_str(), [device,
                                                                   share](benchmark::State& state) {
    pulse_planes(state, device, share);
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  PulseDevice device = xbar::device::read_pulse_device("ideal");
  add("alike", device);
  device.spread = {.step = 0.3, .up_down = 0.01, .lower = 0.15, .upper = 0.15};
  add("spread", device);
  device.noise.step = 0.3;
  add("spread-noise", device);
  add("spread-noise/one-cell-in-100", device, 0.01);
  add("none", device, 0);
  benchmark::RegisterBenchmark("device/normals", draw_normals)->Unit(benchmark::kMicrosecond);
  for (const std::string& name : xbar::device::preset_names()) {
    add("preset/" + name, xbar::device::read_pulse_device(name));
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
