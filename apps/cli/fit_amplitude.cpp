#include "fit_amplitude.hpp"

#include <iterator>

#include <fmt/format.h>

#include "fit_results.hpp"

namespace xbar::cli {

Json amplitude_results(const fit::AmplitudeFit& found) {
  Json laws = Json::array();
  for (const fit::LawFit& law : found.laws) {
    laws.push_back({{"name", law.name},
                    {"parameters", estimates_json(law.parameters)},
                    {"rms", law.rms},
                    {"validated_rms", law.validated_rms},
                    {"excess", law.excess},
                    {"excess_error", law.excess_error}});
  }
  return {{"kind", "amplitude"},
          {"best", found.laws[found.best].name},
          {"models", laws},
          {"up_volt", found.up_volt},
          {"down_volt", found.down_volt},
          {"up_alone", estimates_json(found.up_alone)},
          {"down_alone", estimates_json(found.down_alone)},
          {"alone_rms", found.alone_rms},
          {"pulses", found.pulses},
          {"devices", found.devices},
          {"low_siemens", found.low_siemens},
          {"high_siemens", found.high_siemens},
          {"held_out", found.held_out_devices ? "devices" : "every few pulses one"},
          {"levels", "voltages.csv"}};
}

std::string amplitude_text(const fit::AmplitudeFit& found) {
  std::string text =
      fmt::format("{} pulses of varied voltage, {} devices; held out: {}\n", found.pulses,
                  found.devices, found.held_out_devices ? "devices" : "every few pulses one");
  text += fmt::format("{:<12} {:>10} {:>10}   % of the range\n", "law", "held out", "fitted");
  constexpr double percent = 100;
  for (std::size_t k = 0; k < found.laws.size(); ++k) {
    const fit::LawFit& law = found.laws[k];
    text += fmt::format("{:<12} {:>10.3g} {:>10.3g}{}\n", law.name, percent * law.validated_rms,
                        percent * law.rms, k == found.best ? "   chosen" : "");
  }
  for (const fit::Estimate& e : found.laws[found.best].parameters) text += estimate_text(e) + '\n';
  if (!found.up_alone.empty()) {
    text += fmt::format("each direction with a law of its own: {:.3g} % of the range\n",
                        percent * found.alone_rms);
    for (const fit::Estimate& e : found.up_alone) text += "  up: " + estimate_text(e) + '\n';
    for (const fit::Estimate& e : found.down_alone) text += "  down: " + estimate_text(e) + '\n';
  }
  return text;
}

std::string amplitude_csv(const fit::AmplitudeFit& found) {
  std::string text = "direction,pulse_volt,pulses,change_siemens,model_siemens,residual_siemens\n";
  for (const fit::AmplitudeLevel& level : found.levels) {
    fmt::format_to(std::back_inserter(text), "{},{:.9g},{},{:.9g},{:.9g},{:.9g}\n",
                   level.up ? 1 : -1, level.volt, level.pulses, level.change_siemens,
                   level.model_siemens, level.residual_siemens);
  }
  return text;
}

void set_voltage_law(const fit::AmplitudeFit& found, const fit::AmplitudeData& data,
                     device::PulseDevice& device) {
  device.voltage = found.laws[found.best].law;
  if (found.up_volt > 0) device.up.volt = found.up_volt;
  if (found.down_volt > 0) device.down.volt = found.down_volt;
  if (device.up.second == 0) device.up.second = data.median_second(true);
  if (device.down.second == 0) device.down.second = data.median_second(false);
}

std::string voltage_toml(const fit::AmplitudeFit& found) {
  std::string text = "[pulse]\n";
  if (found.up_volt > 0) text += fmt::format("up_volt = {}\n", found.up_volt);
  if (found.down_volt > 0) text += fmt::format("down_volt = {}\n", found.down_volt);
  const device::VoltageLaw& law = found.laws[found.best].law;
  return text +
         fmt::format("\n[voltage]\nexponent = {}\nthreshold = {}\n", law.exponent, law.threshold);
}

device::PulseDevice amplitude_device(const fit::AmplitudeFit& found,
                                     const fit::AmplitudeData& data) {
  device::PulseDevice device;
  device.name = "fitted";
  device.description = "soft bounds, from single pulses of varied voltage";
  device.source = data.name;
  device.g_min_siemens = found.cell->g_min_siemens;
  device.g_max_siemens = found.cell->g_max_siemens;
  device.parameters = {{"up_step", found.cell->up_step}, {"down_step", found.cell->down_step}};
  device.model = device::make_pulse_model("soft-bounds", device.parameters);
  device.noise.range = std::min(1.0, found.cell->noise);
  set_voltage_law(found, data, device);
  device::check_pulse_device(device);
  return device;
}

}  // namespace xbar::cli
