#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/converters.hpp>

namespace xbar::mapping {

std::string_view dac_range_name(DacRange range) {
  switch (range) {
    case DacRange::calibrated:
      return "calibrated";
    case DacRange::learned:
      return "learned";
    case DacRange::fixed:
      return "fixed";
    case DacRange::maximum:
      break;
  }
  return "maximum";
}

std::string_view adc_range_name(AdcRange range) {
  switch (range) {
    case AdcRange::calibrated:
      return "calibrated";
    case AdcRange::learned:
      return "learned";
    case AdcRange::fixed:
      return "fixed";
    case AdcRange::full_scale:
      break;
  }
  return "full-scale";
}

std::string_view subtract_name(Subtract subtract) {
  return subtract == Subtract::digital ? "digital" : "analog";
}

DacRange parse_dac_range(std::string_view name) {
  for (const DacRange range :
       {DacRange::maximum, DacRange::calibrated, DacRange::learned, DacRange::fixed}) {
    if (dac_range_name(range) == name) return range;
  }
  throw InvalidArgument(
      fmt::format("dac-range: expected maximum, calibrated, learned or fixed, got '{}'", name));
}

AdcRange parse_adc_range(std::string_view name) {
  for (const AdcRange range :
       {AdcRange::full_scale, AdcRange::calibrated, AdcRange::learned, AdcRange::fixed}) {
    if (adc_range_name(range) == name) return range;
  }
  throw InvalidArgument(
      fmt::format("adc-range: expected full-scale, calibrated, learned or fixed, got '{}'", name));
}

Subtract parse_subtract(std::string_view name) {
  for (const Subtract subtract : {Subtract::analog, Subtract::digital}) {
    if (subtract_name(subtract) == name) return subtract;
  }
  throw InvalidArgument(fmt::format("subtract: expected analog or digital, got '{}'", name));
}

int Converters::streams() const {
  if (input_bits == 0) return 1;
  const int bits = input_bits - 1;
  return (bits + digit_bits() - 1) / digit_bits();
}

int Converters::digit_bits() const {
  return dac_bits == 0 || dac_bits > input_bits - 1 ? input_bits - 1 : dac_bits;
}

int Converters::digit_limit() const { return input_bits == 0 ? 1 : (1 << digit_bits()) - 1; }

void check_converters(const Converters& converters) {
  const auto check_bits = [](const char* name, int bits) {
    if (bits != 0 && (bits < 2 || bits > 16)) {
      throw InvalidArgument(fmt::format("{}: expected 0 (ideal) or 2 to 16, got {}", name, bits));
    }
  };
  check_bits("input-bits", converters.input_bits);
  check_bits("adc-bits", converters.adc_bits);
  if (converters.dac_bits < 0 || converters.dac_bits > 16) {
    throw InvalidArgument(
        fmt::format("dac-bits: expected 0 (all at once) or 1 to 16, got {}", converters.dac_bits));
  }
  if (converters.dac_bits > 0 && converters.input_bits == 0) {
    throw InvalidArgument(fmt::format(
        "dac-bits: expected 0 with ideal inputs (input-bits 0), got {}", converters.dac_bits));
  }
  const auto check_limit = [](const char* name, double limit) {
    if (!(limit > 0) || !std::isfinite(limit)) {
      throw InvalidArgument(
          fmt::format("{}: expected a finite number > 0 with a fixed range, got {}", name, limit));
    }
  };
  if (converters.dac_range == DacRange::fixed) check_limit("dac-limit", converters.dac_limit);
  if (converters.adc_range == AdcRange::fixed) check_limit("adc-limit", converters.adc_limit);
  if (!(converters.percentile > 0) || !(converters.percentile <= 100)) {
    throw InvalidArgument(
        fmt::format("percentile: expected more than 0 to 100, got {}", converters.percentile));
  }
  if (converters.calibration_batches < 1) {
    throw InvalidArgument(fmt::format("calibration-batches: expected at least 1, got {}",
                                      converters.calibration_batches));
  }
}

Converters backward_converters(const Converters& converters) {
  Converters backward = converters;
  backward.dac_range = DacRange::maximum;
  if (backward.adc_range == AdcRange::learned) backward.adc_range = AdcRange::calibrated;
  return backward;
}

}  // namespace xbar::mapping
