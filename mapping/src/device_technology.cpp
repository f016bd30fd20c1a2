#include <memory>
#include <utility>

#include <xbar/mapping/device_technology.hpp>

namespace xbar::mapping {

Technology with_device(Technology technology, device::PulseDevice device,
                       const StatedFields& stated) {
  if (!stated.on_ohm) technology.on_ohm = 1 / device.g_max_siemens;
  if (!stated.on_off_ratio) {
    technology.on_off_ratio = device.g_max_siemens / device.g_min_siemens;
  }
  device.g_max_siemens = technology.range().g_max;
  device.g_min_siemens = technology.range().g_min;
  if (!stated.faults) technology.faults = device.faults;
  if (!stated.drift) {
    technology.drift.exponent = device.drift.exponent;
    technology.drift.exponent_deviation = device.drift.exponent_deviation;
  }
  if (!stated.read_noise) technology.read_noise = device.read_noise;
  device::check_pulse_device(device);
  technology.device = std::make_shared<const device::PulseDevice>(std::move(device));
  return technology;
}

Layout usual_layout(const Technology& technology) {
  const bool both_ways = technology.device && !technology.device->one_way;
  return both_ways ? Layout::reference : Layout::differential;
}

}  // namespace xbar::mapping
