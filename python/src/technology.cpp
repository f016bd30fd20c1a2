#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/device_technology.hpp>
#include <xbar/mapping/technology.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "keywords.hpp"

namespace xbar::python {

using namespace nb::literals;

namespace {

using mapping::Technology;

// A name, or a number for the fixed range.
using RangeArgument = std::variant<double, std::string>;
using DeviceArgument = std::variant<std::string, device::PulseDevice>;

template <typename Range>
void set_range(const RangeArgument& argument, Range (*parse)(std::string_view), Range fixed,
               Range& range, double& limit) {
  if (const auto* number = std::get_if<double>(&argument)) {
    range = fixed;
    limit = *number;
  } else {
    range = parse(std::get<std::string>(argument));
  }
}

// By the keywords of the constructor.
Technology technology_of(Keywords& keywords) {
  const auto given = [&](const char* key) { return keywords.given(key); };
  const auto take = [&](const char* key, auto& target) { keywords.take(key, target); };
  Technology t;
  take("on_ohm", t.on_ohm);
  take("on_off_ratio", t.on_off_ratio);
  take("source_ohm", t.wires.source_ohm);
  take("sink_ohm", t.wires.sink_ohm);
  take("wordline_ohm", t.wires.wordline_ohm);
  take("bitline_ohm", t.wires.bitline_ohm);
  take("tile_rows", t.tile_rows);
  take("tile_columns", t.tile_columns);
  take("weight_bits", t.bits.weight);
  take("cell_bits", t.bits.cell);
  take("input_bits", t.converters.input_bits);
  take("dac_bits", t.converters.dac_bits);
  take("adc_bits", t.converters.adc_bits);
  take("range_percentile", t.converters.percentile);
  take("nonlinearity", t.update.nonlinearity);
  take("write_noise", t.update.write_noise);
  take("device_variation", t.device_variation);
  take("stuck_on", t.faults.stuck_on);
  take("stuck_off", t.faults.stuck_off);
  take("open_cells", t.faults.open);
  take("drift_exponent", t.drift.exponent);
  take("drift_deviation", t.drift.exponent_deviation);
  take("drift_second", t.drift.time_s);
  take("drift_reference_second", t.drift.reference_s);
  take("read_noise", t.read_noise);
  take("zero_shift", t.zero_shift);
  std::string terminals = "keep";
  std::string gain = "none";
  std::string layout = "auto";
  std::string update = "linear";
  std::string subtract = "analog";
  std::string write_scheme = "ideal";
  bool single_write = false;
  RangeArgument dac_range = std::string("maximum");
  RangeArgument adc_range = std::string("calibrated");
  std::optional<DeviceArgument> device;
  std::vector<std::string> without;
  std::vector<std::string> only;
  take("terminals", terminals);
  take("gain", gain);
  take("layout", layout);
  take("update", update);
  take("subtract", subtract);
  take("write_scheme", write_scheme);
  take("single_write", single_write);
  take("dac_range", dac_range);
  take("adc_range", adc_range);
  take("device", device);
  take("without", without);
  take("only", only);
  keywords.finish();
  t.terminals = parse_terminals(terminals);
  t.gain = mapping::parse_gain(gain);
  t.update.kind = device::parse_update_kind(update);
  t.converters.subtract = mapping::parse_subtract(subtract);
  t.verify = !single_write;
  set_range(dac_range, mapping::parse_dac_range, mapping::DacRange::fixed, t.converters.dac_range,
            t.converters.dac_limit);
  set_range(adc_range, mapping::parse_adc_range, mapping::AdcRange::fixed, t.converters.adc_range,
            t.converters.adc_limit);
  if (device) {
    for (const char* key : {"update", "nonlinearity", "write_noise", "single_write"}) {
      if (given(key)) {
        throw InvalidArgument(fmt::format(
            "{}: expected without device, whose file says how cells follow a write", key));
      }
    }
    device::PulseDevice cells = std::holds_alternative<std::string>(*device)
                                    ? device::read_pulse_device(std::get<std::string>(*device))
                                    : std::get<device::PulseDevice>(*device);
    t = mapping::with_device(
        std::move(t), std::move(cells),
        {.on_ohm = given("on_ohm"),
         .on_off_ratio = given("on_off_ratio"),
         .faults = given("stuck_on") || given("stuck_off") || given("open_cells"),
         .drift = given("drift_exponent") || given("drift_deviation"),
         .read_noise = given("read_noise")});
  }
  if (write_scheme != "ideal") t.write_scheme = surrogate::parse_write_scheme(write_scheme);
  t.layout = layout == "auto" ? mapping::usual_layout(t) : mapping::parse_layout(layout);
  mapping::check_technology(t);
  if (!without.empty() && !only.empty()) {
    throw InvalidArgument("only: expected without `without`, got both");
  }
  std::vector<mapping::Effect> kept;
  for (const std::string& name : only) kept.push_back(mapping::parse_effect(name));
  for (const std::string& name : without) t = mapping::without(t, mapping::parse_effect(name));
  if (!only.empty()) {
    for (const mapping::Effect effect : mapping::effects) {
      if (std::find(kept.begin(), kept.end(), effect) == kept.end()) {
        t = mapping::without(t, effect);
      }
    }
  }
  return t;
}

}  // namespace

void bind_technology(nb::module_& m) {
  const std::string signature = fmt::format("def __init__(self, *{}) -> None",
                                            parameters_of([](Keywords& k) { technology_of(k); }));
  nb::class_<Technology>(m, "Technology",
                         R"(Cells, wires, tile size and converters of the arrays of a network.

Keywords are the flags of `xbar train`, with their defaults:
on_ohm=20e3, on_off_ratio=10; source_ohm=500, sink_ohm=100, wordline_ohm=2.5, bitline_ohm=2.5;
tile_rows=64, tile_columns=64; terminals="keep"; gain="none" (tile, column); layout="auto"
(differential, interleaved, offset, reference); weight_bits=0, cell_bits=0; input_bits=0,
dac_bits=0, dac_range="maximum" (calibrated, learned, or a number); adc_bits=0,
adc_range="calibrated" (full-scale, learned, or a number); range_percentile=99.99;
subtract="analog" (digital); update="linear" (asymmetric, symmetric), nonlinearity=0,
write_noise=0, single_write=False; device: a PulseDevice, a device file or a preset's name, whose
cells are written by pulses and whose range, faults, drift and read noise count where they are not
given; write_scheme="ideal" (v2, v3, 1t1r), zero_shift=False; device_variation=0; stuck_on=0,
stuck_off=0, open_cells=0; drift_exponent=0, drift_deviation=0, drift_second=1,
drift_reference_second=1; read_noise=0; without, only: lists of effects to leave out or to keep
alone. Raises InvalidArgument naming the keyword.)")
      .def(
          "__init__",
          [](Technology* self, const nb::kwargs& stated) {
            Keywords keywords("Technology", stated);
            new (self) Technology(technology_of(keywords));
          },
          nb::sig(signature.c_str()))
      .def_prop_ro(
          "on_ohm", [](const Technology& t) { return t.on_ohm; }, "ohm")
      .def_prop_ro(
          "on_off_ratio", [](const Technology& t) { return t.on_off_ratio; }, "R_off / R_on")
      .def_prop_ro(
          "g_min_siemens", [](const Technology& t) { return t.range().g_min; }, "siemens")
      .def_prop_ro(
          "g_max_siemens", [](const Technology& t) { return t.range().g_max; }, "siemens")
      .def_prop_ro(
          "source_ohm", [](const Technology& t) { return t.wires.source_ohm; }, "ohm")
      .def_prop_ro(
          "sink_ohm", [](const Technology& t) { return t.wires.sink_ohm; }, "ohm")
      .def_prop_ro(
          "wordline_ohm", [](const Technology& t) { return t.wires.wordline_ohm; }, "ohm")
      .def_prop_ro(
          "bitline_ohm", [](const Technology& t) { return t.wires.bitline_ohm; }, "ohm")
      .def_prop_ro(
          "tile_rows", [](const Technology& t) { return t.tile_rows; }, "wordlines")
      .def_prop_ro(
          "tile_columns", [](const Technology& t) { return t.tile_columns; }, "bitlines")
      .def_prop_ro(
          "layout", [](const Technology& t) { return std::string(mapping::layout_name(t.layout)); },
          "where a weight's sign goes")
      .def_prop_ro(
          "device",
          [](const Technology& t) -> std::optional<device::PulseDevice> {
            if (!t.device) return std::nullopt;
            return *t.device;
          },
          "what is written by pulses, or None");
}

}  // namespace xbar::python
