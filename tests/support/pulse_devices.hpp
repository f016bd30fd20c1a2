#pragma once

/// Devices written by pulses, made for tests.

#include <map>
#include <memory>
#include <string>

#include <xbar/device/pulse_device.hpp>
#include <xbar/device/pulse_models.hpp>
#include <xbar/mapping/technology.hpp>

namespace xbar_test {

/// 10 to 100 microsiemens; no spread and no noise.
inline xbar::device::PulseDevice pulse_device(const std::string& model,
                                              const std::map<std::string, double>& parameters) {
  xbar::device::PulseDevice device;
  device.name = "test";
  device.g_min_siemens = 1e-5;
  device.g_max_siemens = 1e-4;
  device.model = xbar::device::make_pulse_model(model, parameters);
  device.parameters = parameters;
  device.up = device.down = {.volt = 2, .second = 1e-6};
  return device;
}

inline xbar::device::PulseDevice constant_step(double step) {
  return pulse_device("linear", {{"up_step", step}, {"down_step", step}});
}

/// Arrays of such cells, wires as they are.
inline void put_on(xbar::mapping::Technology& technology, const xbar::device::PulseDevice& device) {
  technology.on_ohm = 1 / device.g_max_siemens;
  technology.on_off_ratio = device.g_max_siemens / device.g_min_siemens;
  technology.layout =
      device.one_way ? xbar::mapping::Layout::differential : xbar::mapping::Layout::reference;
  technology.device = std::make_shared<const xbar::device::PulseDevice>(device);
}

}  // namespace xbar_test
