#include "cell_spread.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <xbar/core/parallel.hpp>
#include <xbar/device/neurosim_label.hpp>

#include "pulses/neurosim_steps.hpp"

namespace xbar::device {
namespace {

constexpr double farthest = 5;     // standard deviations
constexpr double smallest = 0.01;  // step, of the mean one; range, of the device's

// Streams of the draws.
enum Draw : std::uint64_t { step, up_down, lower, upper, up_label, down_label, life };

// Standard normal draws of all cells, cut.
MatrixF draws(const RandomStream& cells, Draw what, Index lines, Index length) {
  MatrixF values(lines, length);
  const RandomStream stream = cells.substream(what);
  parallel_for(lines, [&](Index line) {
    const std::span row(values.data() + line * length, static_cast<std::size_t>(length));
    fill_normal(stream, static_cast<std::uint64_t>(line * length), row);
    for (float& value : row) {
      value = std::clamp(value, -static_cast<float>(farthest), static_cast<float>(farthest));
    }
  });
  return values;
}

// nu of labels, by a table: thousands of cells want one.
class LabelTable {
 public:
  LabelTable() {
    for (int k = 0; k <= parts; ++k) {
      nu_.push_back(neurosim_exponent(largest_neurosim_label * k / parts));
    }
  }
  [[nodiscard]] double nu(double label) const {
    const double place = std::min(std::abs(label) / largest_neurosim_label, 1.0) * parts;
    const int k = std::min(static_cast<int>(place), parts - 1);
    const auto i = static_cast<std::size_t>(k);
    return std::copysign(nu_[i] + (place - k) * (nu_[i + 1] - nu_[i]), label);
  }

 private:
  static constexpr int parts = 4096;
  std::vector<double> nu_;
};

double parameter(const PulseDevice& device, const std::string& name) {
  for (const PulseModelInfo& info : pulse_model_infos()) {
    if (info.name != device.model->name()) continue;
    for (const PulseParameter& candidate : info.parameters) {
      if (candidate.name != name) continue;
      const auto given = device.parameters.find(name);
      return given != device.parameters.end() ? given->second : candidate.value;
    }
  }
  return 0;
}

void spread_labels(const PulseDevice& device, Index lines, Index length, const RandomStream& cells,
                   CellSpread& spread) {
  spread.up_at_0 = draws(cells, up_label, lines, length);
  spread.down_at_0 = draws(cells, down_label, lines, length);
  spread.up_slope.resize(lines, length);
  spread.down_slope.resize(lines, length);
  const LabelTable table;
  const double sigma = device.spread.nonlinearity;
  const double up = parameter(device, "up_nonlinearity");
  const double down = parameter(device, "down_nonlinearity");
  const double up_pulses = parameter(device, "up_pulses");
  const double down_pulses = parameter(device, "down_pulses");
  parallel_for(lines, [&](Index line) {
    for (Index k = 0; k < length; ++k) {
      const auto ups = neurosim_up_steps(table.nu(up + sigma * spread.up_at_0(line, k)), up_pulses);
      const auto downs =
          neurosim_down_steps(table.nu(down + sigma * spread.down_at_0(line, k)), down_pulses);
      spread.up_at_0(line, k) = static_cast<float>(ups.first);
      spread.up_slope(line, k) = static_cast<float>(ups.second - ups.first);
      spread.down_at_0(line, k) = static_cast<float>(downs.first);
      spread.down_slope(line, k) = static_cast<float>(downs.second - downs.first);
    }
  });
}

// 1 + sigma N, cut.
MatrixF factors(double sigma, const RandomStream& cells, Draw what, Index lines, Index length) {
  if (sigma == 0) return MatrixF::Ones(lines, length);
  const auto s = static_cast<float>(sigma);
  return (1 + s * draws(cells, what, lines, length).array()).max(static_cast<float>(smallest));
}

void spread_steps(const DeviceSpread& sigma, Index lines, Index length, const RandomStream& cells,
                  CellSpread& spread) {
  const MatrixF both = factors(sigma.step, cells, step, lines, length);
  spread.up_factor = both;
  spread.down_factor = both;
  if (sigma.up_down == 0) return;
  const MatrixF differing = factors(sigma.up_down, cells, up_down, lines, length);
  spread.up_factor.array() *= differing.array();
  spread.down_factor.array() *= (2 - differing.array()).max(static_cast<float>(smallest));
}

void spread_bounds(const PulseDevice& device, Index lines, Index length, const RandomStream& cells,
                   CellSpread& spread) {
  const DeviceSpread& sigma = device.spread;
  const auto none = static_cast<float>(-device.g_min_siemens / device.range().width());
  spread.lower = MatrixF::Zero(lines, length);
  spread.upper = MatrixF::Ones(lines, length);
  if (sigma.lower > 0) {
    spread.lower.array() +=
        static_cast<float>(sigma.lower) * draws(cells, lower, lines, length).array();
  }
  if (sigma.upper > 0) {
    spread.upper.array() +=
        static_cast<float>(sigma.upper) * draws(cells, upper, lines, length).array();
  }
  spread.lower = spread.lower.array().max(none);
  spread.upper = spread.upper.array().max(spread.lower.array() + static_cast<float>(smallest));
}

}  // namespace

CellSpread draw_cell_spread(const PulseDevice& device, Index lines, Index length,
                            const RandomStream& cells) {
  CellSpread spread;
  const DeviceSpread& sigma = device.spread;
  if (sigma.step > 0 || sigma.up_down > 0) spread_steps(sigma, lines, length, cells, spread);
  if (sigma.lower > 0 || sigma.upper > 0) spread_bounds(device, lines, length, cells, spread);
  if (sigma.nonlinearity > 0) spread_labels(device, lines, length, cells, spread);
  if (device.endurance.pulses > 0) {
    spread.life = draws(cells, life, lines, length);
    spread.life = static_cast<float>(device.endurance.pulses) *
                  (static_cast<float>(device.endurance.deviation) * spread.life.array()).exp();
  }
  return spread;
}

}  // namespace xbar::device
