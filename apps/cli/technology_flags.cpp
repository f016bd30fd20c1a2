#include "technology_flags.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/pulse_presets.hpp>
#include <xbar/mapping/device_technology.hpp>

#include "flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

// "full-scale", or a number for the fixed range.
template <typename Range>
void set_range(const char* flag, const std::string& text, Range (*parse)(std::string_view),
               Range fixed, Range& range, double& limit) {
  if (const auto number = as_number<double>(text)) {
    range = fixed;
    limit = *number;
    return;
  }
  try {
    range = parse(text);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}, or a number", flag, error.what()));
  }
}

std::string effect_list(std::string_view between) {
  std::vector<std::string_view> names;
  for (const mapping::Effect effect : mapping::effects) names.push_back(effect_name(effect));
  return fmt::to_string(fmt::join(names, between));
}

}  // namespace

void TechnologyFlags::add(CLI::App& app) {
  app.add_option("--device", device_,
                 "device file or preset (xbar info --devices): range, pulses, spread; cells are "
                 "then written by pulses")
      ->type_name(or_file(device::preset_names()))
      ->type_name("FILE");
  on_ohm_option_ = app.add_option("--on-ohm", on_ohm,
                                  "resistance of a fully switched-on cell, ohm; several: a,b")
                       ->delimiter(',');
  on_off_ratio_option_ = app.add_option("--on-off-ratio", technology.on_off_ratio, "R_off / R_on");
  add_wire_flags(app, technology.wires);
  app.add_option("--tile-rows", technology.tile_rows, "wordlines of a tile");
  app.add_option("--tile-columns", technology.tile_columns, "bitlines of a tile");
  app.add_option("--terminals", terminals_,
                 "resistors at the terminals in the backward read: keep or swap")
      ->type_name("keep|swap");
  app.add_option("--gain", gain_, "digital gain calibration: none, tile or column")
      ->type_name("none|tile|column");
  app.add_option("--layout", layout_,
                 "sign of a weight: differential (a pair of arrays), interleaved (two bitlines "
                 "side by side), "
                 "offset (one cell, less a reference bitline), reference (less a cell of an array "
                 "beside it), "
                 "or auto: reference for a --device of pulses both ways, else differential")
      ->type_name("differential|interleaved|offset|reference|auto");
  app.add_option(
         "--write-scheme", write_scheme_,
         "with --device: ideal (pulses reach their cells whole and no others), or what the "
         "wires leave of them and half-selected cells see of them when written by v2, v3 or "
         "1t1r")
      ->type_name("ideal|v2|v3|1t1r");
  voltage_exponent_ =
      app.add_option("--voltage-exponent", voltage_.exponent,
                     "of a step's dependence on the voltage; default: the device file's");
  voltage_threshold_ =
      app.add_option("--voltage-threshold", voltage_.threshold,
                     "share of the pulse's voltage that moves nothing; default: the device file's");
  app.add_flag("--zero-shift", technology.zero_shift,
               "with --device: cells that are subtracted hold the trained ones' symmetry points");
  app.add_option("--weight-bits", technology.bits.weight,
                 "bits of a weight, sign included; 0: as --cell-bits gives, or analog");
  app.add_option("--cell-bits", technology.bits.cell,
                 "bits of a cell; fewer than the weight's: bit slices; 0: one cell holds a weight");
  mapping::Converters& converters = technology.converters;
  app.add_option("--input-bits", converters.input_bits,
                 "bits of an input, sign included; 0: ideal DACs");
  app.add_option("--dac-bits", converters.dac_bits,
                 "bits that a DAC makes at once; fewer than the input's: bit-serial; 0: all");
  app.add_option("--dac-range", dac_range_,
                 "input of the largest code: maximum (of each batch), calibrated, learned, or a "
                 "number")
      ->type_name("maximum|calibrated|learned|NUMBER");
  app.add_option("--adc-bits", converters.adc_bits, "bits of an output; 0: ideal ADCs");
  app.add_option("--adc-range", adc_range_,
                 "current of the largest code: calibrated, full-scale, learned, or a number of "
                 "fully switched-on cells")
      ->type_name("calibrated|full-scale|learned|NUMBER");
  app.add_option("--range-percentile", converters.percentile,
                 "of the values seen, for calibrated ranges and where learned ones begin");
  app.add_option("--subtract", subtract_,
                 "where a pair's currents are subtracted: analog (before the ADC) or digital")
      ->type_name("analog|digital");
  CLI::Option* update =
      app.add_option("--update", update_,
                     "how a cell follows a write: linear, asymmetric or symmetric")
          ->type_name("linear|asymmetric|symmetric");
  CLI::Option* nonlinearity = app.add_option("--nonlinearity", technology.update.nonlinearity,
                                             "nu of an asymmetric or symmetric update");
  CLI::Option* write_noise =
      app.add_option("--write-noise", technology.update.write_noise,
                     "standard deviation of a full-range write, share of the range");
  CLI::Option* single_write = app.add_flag(
      "--single-write", single_write_,
      "programming writes every cell once, with write noise, instead of until it is right");
  write_options_ = {update, nonlinearity, write_noise, single_write};
  app.add_option("--device-variation", technology.device_variation,
                 "standard deviation of ln G from cell to cell");
  fault_options_ = {
      app.add_option("--stuck-on", technology.faults.stuck_on, "share of cells stuck at g_max"),
      app.add_option("--stuck-off", technology.faults.stuck_off, "share of cells stuck at g_min"),
      app.add_option("--open-cells", technology.faults.open,
                     "share of broken cells, without current")};
  drift_options_ = {app.add_option("--drift-exponent", technology.drift.exponent,
                                   "nu of G(t) = G(t0) (t/t0)^-nu, the mean over the cells"),
                    app.add_option("--drift-deviation", technology.drift.exponent_deviation,
                                   "standard deviation of nu from cell to cell")};
  app.add_option("--drift-second", technology.drift.time_s,
                 "t, time since programming at which the arrays are read, s");
  app.add_option("--drift-reference-second", technology.drift.reference_s,
                 "t0, time after programming at which conductances were verified, s");
  read_noise_option_ =
      app.add_option("--read-noise", technology.read_noise,
                     "standard deviation of a cell's conductance from pass to pass, share of it");
  app.add_option("--without", without_,
                 fmt::format("effects to leave out; several: a,b; of {}", effect_list(", ")))
      ->type_name(effect_list("|"))
      ->delimiter(',');
  app.add_option("--only", only_, "the only effects to keep, as --without names them")
      ->type_name(effect_list("|"))
      ->delimiter(',');
}

mapping::Technology TechnologyFlags::with(double on) const {
  mapping::Technology result = technology;
  result.on_ohm = on;
  result.terminals = parse_terminals(terminals_);
  result.gain = mapping::parse_gain(gain_);
  take_device(result);
  if (write_scheme_ != "ideal") {
    result.write_scheme = surrogate::parse_write_scheme(write_scheme_);
  }
  result.layout =
      layout_ == "auto" ? mapping::usual_layout(result) : mapping::parse_layout(layout_);
  if (layout_ == "auto") detail(fmt::format("layout auto: {}", layout_name(result.layout)));
  set_range("--dac-range", dac_range_, mapping::parse_dac_range, mapping::DacRange::fixed,
            result.converters.dac_range, result.converters.dac_limit);
  set_range("--adc-range", adc_range_, mapping::parse_adc_range, mapping::AdcRange::fixed,
            result.converters.adc_range, result.converters.adc_limit);
  result.converters.subtract = mapping::parse_subtract(subtract_);
  result.update.kind = device::parse_update_kind(update_);
  result.verify = !single_write_;
  mapping::check_technology(result);
  if (!without_.empty() && !only_.empty()) {
    throw InvalidArgument("--only: expected without --without, got both");
  }
  std::vector<mapping::Effect> kept;
  for (const std::string& name : only_) kept.push_back(mapping::parse_effect(name));
  for (const std::string& name : without_) {
    result = mapping::without(result, mapping::parse_effect(name));
  }
  if (!only_.empty()) {
    for (const mapping::Effect effect : mapping::effects) {
      if (std::find(kept.begin(), kept.end(), effect) == kept.end()) {
        result = mapping::without(result, effect);
      }
    }
  }
  return result;
}

std::vector<CLI::Option*> TechnologyFlags::acting_when_given() const {
  std::vector<CLI::Option*> flags = {on_ohm_option_, on_off_ratio_option_, read_noise_option_,
                                     voltage_exponent_, voltage_threshold_};
  for (const auto& some : {fault_options_, drift_options_, write_options_}) {
    flags.insert(flags.end(), some.begin(), some.end());
  }
  return flags;
}

void TechnologyFlags::take_device(mapping::Technology& target) const {
  const bool wired = pulse_device_ && write_scheme_ != "ideal";
  for (const CLI::Option* flag : {voltage_exponent_, voltage_threshold_}) {
    if (flag->count() > 0 && !wired) {
      throw InvalidArgument(
          fmt::format("{}: expected only with --device and --write-scheme", flag->get_name()));
    }
  }
  if (!pulse_device_) return;
  for (const CLI::Option* flag : write_options_) {
    if (flag->count() > 0) {
      throw InvalidArgument(
          fmt::format("{}: expected without --device, whose file says how cells follow a write",
                      flag->get_name()));
    }
  }
  const auto given = [](const std::vector<CLI::Option*>& flags) {
    return std::any_of(flags.begin(), flags.end(),
                       [](const CLI::Option* flag) { return flag->count() > 0; });
  };
  device::PulseDevice device = *pulse_device_;
  if (voltage_exponent_->count() > 0) device.voltage.exponent = voltage_.exponent;
  if (voltage_threshold_->count() > 0) device.voltage.threshold = voltage_.threshold;
  target = mapping::with_device(std::move(target), std::move(device),
                                {.on_ohm = true,
                                 .on_off_ratio = on_off_ratio_option_->count() > 0,
                                 .faults = given(fault_options_),
                                 .drift = given(drift_options_),
                                 .read_noise = read_noise_option_->count() > 0});
}

std::vector<mapping::Technology> TechnologyFlags::all() {
  if (!device_.empty()) {
    pulse_device_ = std::make_shared<const device::PulseDevice>(device::read_pulse_device(device_));
    if (on_ohm_option_->count() == 0) on_ohm = {1 / pulse_device_->g_max_siemens};
  }
  if (on_ohm.empty()) throw InvalidArgument("on-ohm: expected at least one resistance, got none");
  std::vector<mapping::Technology> result;
  for (const double on : on_ohm) result.push_back(with(on));
  return result;
}

void WeightScaleFlags::add(CLI::App& app) {
  app.add_option(
         "--weight-scale", scale_,
         "largest weight that a layer's cells hold: maximum (its own), percentile, headroom, "
         "learned (hardware-aware: with the weights, from the percentile on), "
         "or auto: headroom where weights are drawn, else maximum")
      ->type_name("maximum|percentile|headroom|learned|auto");
  app.add_option("--weight-percentile", percentile, "of a layer's weights, for that scale");
  app.add_option("--headroom", headroom,
                 "largest weight of a cell pair in units of the initialisation bound");
}

nn::WeightScale WeightScaleFlags::scale(nn::WeightScale standard) const {
  if (!(headroom > 0) || !(headroom <= 1e6)) {
    throw InvalidArgument(fmt::format("--headroom: expected a number > 0, got {}", headroom));
  }
  if (!(percentile > 0) || !(percentile <= 100)) {
    throw InvalidArgument(
        fmt::format("--weight-percentile: expected over 0 to 100, got {}", percentile));
  }
  return scale_ == "auto" ? standard : nn::parse_weight_scale(scale_);
}

Json to_json(const mapping::Technology& technology) {
  const mapping::Technology& t = technology;
  Json json = {{"on_ohm", t.on_ohm},
               {"on_off_ratio", t.on_off_ratio},
               {"source_ohm", t.wires.source_ohm},
               {"sink_ohm", t.wires.sink_ohm},
               {"wordline_ohm", t.wires.wordline_ohm},
               {"bitline_ohm", t.wires.bitline_ohm},
               {"tile_rows", t.tile_rows},
               {"tile_columns", t.tile_columns},
               {"terminals", t.terminals == Terminals::keep ? "keep" : "swap"},
               {"gain", mapping::gain_name(t.gain)},
               {"layout", mapping::layout_name(t.layout)},
               {"write_noise", t.update.write_noise}};
  if (t.bits.weight > 0 || t.bits.cell > 0) {
    json["weight_bits"] = t.bits.weight;
    json["cell_bits"] = t.bits.cell;
  }
  const mapping::Converters& converters = t.converters;
  if (converters.input_bits > 0) {
    json["input_bits"] = converters.input_bits;
    json["dac_bits"] = converters.dac_bits;
    json["dac_range"] = mapping::dac_range_name(converters.dac_range);
    if (converters.dac_range == mapping::DacRange::fixed) json["dac_limit"] = converters.dac_limit;
  }
  if (converters.adc_bits > 0) {
    json["adc_bits"] = converters.adc_bits;
    json["adc_range"] = mapping::adc_range_name(converters.adc_range);
    if (converters.adc_range == mapping::AdcRange::fixed) json["adc_limit"] = converters.adc_limit;
  }
  if (converters.present()) json["subtract"] = mapping::subtract_name(converters.subtract);
  if (t.update.kind != device::UpdateKind::linear) {
    json["update"] = device::update_kind_name(t.update.kind);
    json["nonlinearity"] = t.update.nonlinearity;
  }
  if (!t.verify) json["single_write"] = true;
  if (t.device) {
    json["device"] = t.device->name;
    json["pulse_model"] = t.device->model->name();
    if (t.zero_shift) json["zero_shift"] = true;
    if (t.write_scheme) json["write_scheme"] = surrogate::write_scheme_name(*t.write_scheme);
  }
  if (t.device_variation > 0) json["device_variation"] = t.device_variation;
  if (t.faults.any()) {
    json["stuck_on"] = t.faults.stuck_on;
    json["stuck_off"] = t.faults.stuck_off;
    json["open_cells"] = t.faults.open;
  }
  if (t.drift.any()) {
    json["drift_exponent"] = t.drift.exponent;
    json["drift_deviation"] = t.drift.exponent_deviation;
    json["drift_second"] = t.drift.time_s;
    json["drift_reference_second"] = t.drift.reference_s;
  }
  if (t.read_noise > 0) json["read_noise"] = t.read_noise;
  return json;
}

}  // namespace xbar::cli
