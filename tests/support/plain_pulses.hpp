#pragma once

/// Pulses one by one, in double precision: the slow reference of PulsedCells.

#include <algorithm>
#include <random>
#include <vector>

#include <xbar/device/pulse_device.hpp>

namespace xbar_test {

/// One cell of a device without spread, from x, after the pulses in a random order.
inline double plain_pulses(const xbar::device::PulseDevice& device, double x, int up, int down,
                           std::mt19937_64& generator) {
  std::vector<bool> is_up(static_cast<std::size_t>(up + down), false);
  std::fill_n(is_up.begin(), up, true);
  std::shuffle(is_up.begin(), is_up.end(), generator);
  std::normal_distribution<double> normal;
  for (const bool upward : is_up) {
    const double step = upward ? device.model->up_step(x) : -device.model->down_step(x);
    x +=
        step * (1 + device.noise.step * normal(generator)) + device.noise.range * normal(generator);
    x = std::clamp(x, 0.0, 1.0);
  }
  return x;
}

}  // namespace xbar_test
