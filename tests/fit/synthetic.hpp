#pragma once

/// Devices that are simulated pulse by pulse, plainly.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include <xbar/core/random.hpp>
#include <xbar/device/pulse_models.hpp>
#include <xbar/fit/pulse_data.hpp>

namespace xbar_test {

struct Synthetic {
  std::shared_ptr<const xbar::device::PulseModel> model;
  double g_min = 1e-6;
  double g_max = 1e-5;
  double step_noise = 0.3;    ///< of the step
  double range_noise = 0;     ///< of the range, a pulse
  double read_noise = 0.002;  ///< of the range, a reading
  double step_spread = 0;     ///< sigma of a device's step
  int devices = 1;
  int cycles = 4;
  int pulses = 100;  ///< up, and then as many down

  [[nodiscard]] xbar::fit::PulseData data(std::uint64_t seed) const {
    const xbar::RandomStream noise(seed, "test/synthetic");
    std::uint64_t draw = 0;
    const auto normal = [&] { return noise.normal(draw++); };
    xbar::fit::PulseData result;
    result.name = "synthetic";
    for (int d = 0; d < devices; ++d) {
      const double factor = 1 + step_spread * normal();
      for (int c = 0; c < cycles; ++c) {
        xbar::fit::PulseCurve curve{std::to_string(d), std::to_string(c), {}, {}};
        double x = 0.05;
        for (int k = 0; k < 2 * pulses; ++k) {
          const bool up = k < pulses;
          const double step = factor * (up ? model->up_step(x) : model->down_step(x));
          const double moved = step * (1 + step_noise * normal()) + range_noise * normal();
          x = std::clamp(x + (up ? moved : -moved), 0.0, 1.0);
          curve.up.push_back(up);
          curve.siemens.push_back(g_min + (g_max - g_min) * (x + read_noise * normal()));
        }
        result.curves.push_back(std::move(curve));
      }
    }
    return result;
  }
};

}  // namespace xbar_test
