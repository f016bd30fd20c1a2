/// The update of a layer by random pulses against the plain one in floating point, taken in turns:
///   float   dW = D^T X, then W -= lr dW
///   trains  the pulses of all cells: PulseTrains::add, and count for every output
///   update  the same, and PulsedCells::pulse
/// Values are normal, inputs after a ReLU unless `signed`; the rate is such that the most likely
/// lines of a 512 x 512 layer fire in about half of the slots where trains are not managed.
///   OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 bench_pulses
/// Counters are medians: microseconds of processor time, all threads, and shares of the float
/// update's.

#include <algorithm>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <xbar/core/gemm.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/pulse_models.hpp>
#include <xbar/device/pulse_trains.hpp>
#include <xbar/device/pulsed_cells.hpp>

using xbar::Index;
using xbar::MatrixF;
using xbar::RandomStream;
using xbar::device::PulsedCells;
using xbar::device::PulseDevice;
using xbar::device::PulseTrainOptions;
using xbar::device::PulseTrains;

namespace {

struct Layer {
  Index outputs, inputs, samples;
};
constexpr Layer dense{512, 512, 64};
/// LeNet-5's convolutions at a batch of 64: samples are positions.
constexpr Layer first_convolution{6, 25, 36864};
constexpr Layer second_convolution{16, 150, 4096};

constexpr double rate = 0.75;
constexpr PulseTrainOptions managed{31, true, true};
constexpr PulseTrainOptions unmanaged{31, false, false};

MatrixF normal_matrix(Index rows, Index columns, const RandomStream& stream) {
  MatrixF values(rows, columns);
  xbar::fill_normal(stream, 0, {values.data(), static_cast<std::size_t>(values.size())});
  return values;
}

std::shared_ptr<const PulseDevice> make_device(const std::string& model, double deviation) {
  PulseDevice device;
  device.name = model;
  device.g_min_siemens = 1e-6;
  device.g_max_siemens = 1e-5;
  device.parameters = {{"up_step", 1e-3}, {"down_step", 1e-3}};
  device.model = xbar::device::make_pulse_model(model, device.parameters);
  device.noise.step = deviation;
  device.spread.step = deviation;
  return std::make_shared<const PulseDevice>(std::move(device));
}

double median_us(std::vector<double> seconds) {
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return 1e6 * *middle;
}

// Of this process, all threads: what others do on the machine in the middle of a turn does not
// count.
double seconds(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

void compare(benchmark::State& state, const Layer& layer, const PulseTrainOptions& options,
             bool with_signs, const std::shared_ptr<const PulseDevice>& device) {
  const RandomStream stream(1, "bench-pulses");
  const MatrixF d = normal_matrix(layer.samples, layer.outputs, stream.substream(0));
  MatrixF x = normal_matrix(layer.samples, layer.inputs, stream.substream(1));
  if (!with_signs) x = x.cwiseMax(0.0F).eval();
  MatrixF weight = MatrixF::Zero(layer.outputs, layer.inputs);
  MatrixF gradient(layer.outputs, layer.inputs);
  MatrixF conductance = MatrixF::Constant(layer.outputs, layer.inputs, 0.5F);
  PulseTrains trains(layer.outputs, layer.inputs, options);
  PulsedCells cells(device, layer.outputs, layer.inputs, stream.substream(2));
  std::uint64_t step = 0;
  const auto plain = [&] {
    xbar::gemm(xbar::Op::transpose, xbar::Op::none, layer.outputs, layer.inputs, layer.samples, 1,
               d.data(), layer.outputs, x.data(), layer.inputs, 0, gradient.data(), layer.inputs);
    xbar::parallel_for(layer.outputs,
                       [&](Index o) { weight.row(o).noalias() -= 0.01F * gradient.row(o); });
  };
  const auto inputs = static_cast<std::size_t>(layer.inputs);
  const auto pulses = [&](bool to_cells) {
    const RandomStream noise = stream.substream(3 + step++);
    trains.clear();
    trains.add(layer.samples, rate, d.data(), x.data(), noise.substream(0));
    xbar::parallel_for(layer.outputs, [&](Index o) {
      thread_local std::vector<float> up;
      thread_local std::vector<float> down;
      up.resize(inputs);
      down.resize(inputs);
      trains.count(o, up, down);
      benchmark::DoNotOptimize(up.data());
      if (to_cells) {
        cells.pulse(o, 0, {conductance.row(o).data(), inputs}, up, down, noise.substream(1));
      }
    });
  };
  std::vector<double> plain_times;
  std::vector<double> train_times;
  std::vector<double> update_times;
  for (auto _ : state) {
    plain_times.push_back(seconds(plain));
    train_times.push_back(seconds([&] { pulses(false); }));
    update_times.push_back(seconds([&] { pulses(true); }));
  }
  const double reference = median_us(plain_times);
  state.counters["float_us"] = reference;
  state.counters["trains_us"] = median_us(train_times);
  state.counters["update_us"] = median_us(update_times);
  state.counters["trains"] = median_us(train_times) / reference;
  state.counters["update"] = median_us(update_times) / reference;
  state.counters["slots"] = static_cast<double>(trains.slots());
}

void add(const std::string& name, const Layer& layer, const PulseTrainOptions& options,
         bool with_signs, const std::shared_ptr<const PulseDevice>& device) {
  benchmark::RegisterBenchmark(("device/pulses/" + name).c_str(), [=](benchmark::State& state) {
    compare(state, layer, options, with_signs, device);
  })->UseRealTime();
}

const bool added = [] {
  const auto constant = make_device("linear", 0);
  add("512x512/managed/constant", dense, managed, false, constant);
  add("512x512/managed/constant-noisy", dense, managed, false, make_device("linear", 0.3));
  add("512x512/managed/soft-bounds", dense, managed, false, make_device("soft-bounds", 0));
  add("512x512/managed/soft-bounds-noisy", dense, managed, false, make_device("soft-bounds", 0.3));
  add("512x512/managed/signed", dense, managed, true, constant);
  add("512x512/unmanaged/constant", dense, unmanaged, false, constant);
  add("512x512/unmanaged/soft-bounds-noisy", dense, unmanaged, false,
      make_device("soft-bounds", 0.3));
  add("512x512/unmanaged/signed", dense, unmanaged, true, constant);
  for (const bool manage : {true, false}) {
    const std::string kind = manage ? "managed" : "unmanaged";
    const PulseTrainOptions& options = manage ? managed : unmanaged;
    add("6x25x36864/" + kind, first_convolution, options, false, constant);
    add("16x150x4096/" + kind, second_convolution, options, false, constant);
  }
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
