#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/device/pulse_models.hpp>
#include <xbar/device/read_noise.hpp>

namespace xbar::device {
namespace {

// `name` as in device files.
void check_within(std::string_view name, double value, double lowest, double highest,
                  std::string_view what) {
  if (!(value >= lowest && value <= highest)) {
    throw InvalidArgument(
        fmt::format("{}: expected {}, {} to {}, got {}", name, what, lowest, highest, value));
  }
}

void check_above(std::string_view name, double value, double bound, double highest,
                 std::string_view what) {
  if (!(value > bound && value <= highest)) {
    throw InvalidArgument(fmt::format("{}: expected {}, above {} and up to {}, got {}", name, what,
                                      bound, highest, value));
  }
}

void check_spread(const PulseDevice& device) {
  const DeviceSpread& spread = device.spread;
  check_within("spread.step", spread.step, 0, 2, "a share of the mean step");
  check_within("spread.up_down", spread.up_down, 0, 1, "a share of the steps");
  check_within("spread.lower", spread.lower, 0, 1, "a share of the range");
  check_within("spread.upper", spread.upper, 0, 1, "a share of the range");
  check_within("spread.nonlinearity", spread.nonlinearity, 0, 5, "a deviation of labels");
  if (spread.nonlinearity > 0 && device.model->name() != "neurosim") {
    throw InvalidArgument(fmt::format(
        "spread.nonlinearity: expected 0 for the model {}, which has no label (neurosim has), got "
        "{}",
        device.model->name(), spread.nonlinearity));
  }
}

void check_noise(const PulseDevice& device) {
  const PulseNoise& noise = device.noise;
  check_within("noise.step", noise.step, 0, 1000, "a share of the mean step");
  check_within("noise.range", noise.range, 0, 1, "a share of the range");
  check_within("noise.write", noise.write, 0, 1, "a share of the range");
  check_within("noise.read", device.read_noise, 0, 1, "a share of the conductance");
  if (device.model->is_random() && (noise.step > 0 || noise.range > 0)) {
    throw InvalidArgument(
        fmt::format("{}: expected 0 for the model {}, whose steps are drawn from measured ones, "
                    "got {}",
                    noise.step > 0 ? "noise.step" : "noise.range", device.model->name(),
                    noise.step > 0 ? noise.step : noise.range));
  }
}

void check_pulse(const std::string& name, const PulseShape& pulse) {
  check_within("pulse." + name + "_volt", pulse.volt, 0, 1000, "volt");
  check_within("pulse." + name + "_second", pulse.second, 0, 1000, "seconds");
}

}  // namespace

double VoltageLaw::factor(double share) const {
  return std::pow(std::max(share - threshold, 0.0) / (1 - threshold), exponent);
}

double PulseDevice::typical_step() const {
  constexpr double middle = 0.5;
  return (model->up_step(middle) + model->down_step(middle)) / 2;
}

PulseDevice without_nonlinearity(const PulseDevice& device) {
  PulseDevice straight = device;
  const double step = device.typical_step();
  straight.parameters = {{"up_step", step}, {"down_step", step}};
  straight.model = make_pulse_model("linear", straight.parameters);
  straight.spread.nonlinearity = 0;
  return straight;
}

void check_pulse_device(const PulseDevice& device) {
  constexpr double largest_siemens = 1e3;
  check_above("g_min_siemens", device.g_min_siemens, 0, largest_siemens, "siemens");
  check_above("g_max_siemens", device.g_max_siemens, device.g_min_siemens, largest_siemens,
              "siemens");
  if (device.model == nullptr) {
    throw InvalidArgument("model: expected one of pulse_model_infos(), got none");
  }
  check_spread(device);
  check_noise(device);
  check_pulse("up", device.up);
  check_pulse("down", device.down);
  check_within("voltage.exponent", device.voltage.exponent, 0, 100, "an exponent");
  if (!(device.voltage.threshold >= 0 && device.voltage.threshold < 1)) {
    throw InvalidArgument(
        fmt::format("voltage.threshold: expected a share of the pulse's voltage, 0 to below 1, got "
                    "{}",
                    device.voltage.threshold));
  }
  check_cell_faults(device.faults);
  check_drift(device.drift);
  check_within("endurance.pulses", device.endurance.pulses, 0, 1e15, "pulses");
  check_within("endurance.deviation", device.endurance.deviation, 0, 5,
               "a standard deviation of the logarithm");
}

}  // namespace xbar::device
