#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/read_noise.hpp>
#include <xbar/device/variation.hpp>
#include <xbar/mapping/technology.hpp>

namespace xbar::mapping {

std::string_view gain_name(Gain gain) {
  switch (gain) {
    case Gain::tile:
      return "tile";
    case Gain::column:
      return "column";
    case Gain::none:
      break;
  }
  return "none";
}

Gain parse_gain(std::string_view name) {
  for (const Gain gain : {Gain::none, Gain::tile, Gain::column}) {
    if (gain_name(gain) == name) return gain;
  }
  throw InvalidArgument(fmt::format("gain: expected none, tile or column, got '{}'", name));
}

Index Technology::outputs_per_tile() const {
  switch (layout) {
    case Layout::interleaved:
      return tile_columns / 2;
    case Layout::offset:
      return tile_columns - 1;
    case Layout::differential:
    case Layout::reference:
      break;
  }
  return tile_columns;
}

std::string_view effect_name(Effect effect) {
  switch (effect) {
    case Effect::wires:
      return "wires";
    case Effect::levels:
      return "levels";
    case Effect::dac:
      return "dac";
    case Effect::adc:
      return "adc";
    case Effect::nonlinearity:
      return "nonlinearity";
    case Effect::write_noise:
      return "write-noise";
    case Effect::variation:
      return "variation";
    case Effect::faults:
      return "faults";
    case Effect::drift:
      return "drift";
    case Effect::read_noise:
      return "read-noise";
    case Effect::write_wires:
      break;
  }
  return "write-wires";
}

Effect parse_effect(std::string_view name) {
  std::string names;
  for (const Effect effect : effects) {
    if (effect_name(effect) == name) return effect;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", effect_name(effect));
  }
  throw InvalidArgument(fmt::format("effect: expected one of {}; got '{}'", names, name));
}

namespace {

template <typename Change>
void change_device(Technology& technology, const Change& change) {
  if (!technology.device) return;
  device::PulseDevice device = *technology.device;
  change(device);
  technology.device = std::make_shared<const device::PulseDevice>(std::move(device));
}

}  // namespace

Technology without(Technology technology, Effect effect) {
  switch (effect) {
    case Effect::wires:
      technology.wires = {.source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 0, .bitline_ohm = 0};
      break;
    case Effect::levels:
      technology.bits = {};
      break;
    case Effect::dac:
      technology.converters.input_bits = technology.converters.dac_bits = 0;
      break;
    case Effect::adc:
      technology.converters.adc_bits = 0;
      break;
    case Effect::nonlinearity:
      technology.update.kind = device::UpdateKind::linear;
      change_device(technology, [](device::PulseDevice& device) {
        device = device::without_nonlinearity(device);
      });
      break;
    case Effect::write_noise:
      technology.update.write_noise = 0;
      technology.verify = true;
      change_device(technology, [](device::PulseDevice& device) { device.noise = {}; });
      break;
    case Effect::variation:
      technology.device_variation = 0;
      change_device(technology, [](device::PulseDevice& device) { device.spread = {}; });
      break;
    case Effect::faults:
      technology.faults = {};
      break;
    case Effect::drift:
      technology.drift = {};
      break;
    case Effect::read_noise:
      technology.read_noise = 0;
      break;
    case Effect::write_wires:
      technology.write_scheme = {};
      break;
  }
  return technology;
}

namespace {

// Pulses move cells by steps of their own: a layout has to say which cell takes which pulses.
void check_layout_of_pulses(const Technology& technology) {
  const bool one_way = technology.device->one_way;
  const bool pairs =
      technology.layout == Layout::differential || technology.layout == Layout::interleaved;
  if (one_way != pairs) {
    throw InvalidArgument(fmt::format(
        "layout: expected {} with device {}, whose pulses go {}; got {}",
        one_way ? "differential or interleaved" : "reference or offset", technology.device->name,
        one_way ? "up only" : "up and down", layout_name(technology.layout)));
  }
  if (technology.bits.weight > 0 || technology.bits.cell > 0) {
    throw InvalidArgument(fmt::format(
        "weight-bits, cell-bits: expected 0 (analog) with device {}: its pulses are its levels",
        technology.device->name));
  }
  if (!technology.verify) {
    throw InvalidArgument(
        fmt::format("single-write: expected without device {}, which is programmed with verify",
                    technology.device->name));
  }
}

}  // namespace

void check_technology(const Technology& technology) {
  (void)technology.range();
  check_wires(technology.wires);
  const auto check_size = [](const char* name, Index size) {
    if (size < 1 || size > 4096) {
      throw InvalidArgument(fmt::format("{}: expected 1 to 4096, got {}", name, size));
    }
  };
  check_size("tile-rows", technology.tile_rows);
  check_size("tile-columns", technology.tile_columns);
  if (technology.outputs_per_tile() < 1) {
    throw InvalidArgument(fmt::format("tile-columns: expected at least 2 with layout {}, got {}",
                                      layout_name(technology.layout), technology.tile_columns));
  }
  (void)WeightEncoder(technology.layout, technology.bits);
  check_converters(technology.converters);
  device::check_update_model(technology.update);
  device::check_device_variation(technology.device_variation);
  device::check_cell_faults(technology.faults);
  device::check_drift(technology.drift);
  device::check_read_noise(technology.read_noise);
  if (technology.device) check_layout_of_pulses(technology);
  if (technology.write_scheme) {
    if (!technology.device) {
      throw InvalidArgument(
          "write-scheme: expected with a device, whose steps depend on the voltage");
    }
    if (!(technology.device->voltage.exponent > 0)) {
      throw InvalidArgument(fmt::format(
          "write-scheme: expected a device that states voltage.exponent, or --voltage-exponent; "
          "{} does not say how its steps depend on the voltage",
          technology.device->name));
    }
  }
  if (technology.zero_shift && (!technology.device || technology.layout != Layout::reference)) {
    throw InvalidArgument("zero-shift: expected with a device and layout reference");
  }
}

}  // namespace xbar::mapping
