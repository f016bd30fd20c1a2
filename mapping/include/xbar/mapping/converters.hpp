#pragma once

/// The converters between a layer's digital side and its arrays.

#include <string_view>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// What input the DAC's largest code stands for.
enum class DacRange {
  maximum,     ///< the largest |x| of each batch
  calibrated,  ///< a percentile of |x|: the mean of the first batches, which follows in training
  learned,     ///< trained along with the weights [Esser2020], beginning at the percentile
  fixed,       ///< Converters::dac_limit
};

/// What current the ADC's largest code stands for.
enum class AdcRange {
  full_scale,  ///< the largest possible: all lines of a tile at the largest digit, all cells on
  calibrated,  ///< a percentile of the |current|, likewise
  learned,     ///< trained along with the weights [Esser2020], beginning at the percentile
  fixed,       ///< Converters::adc_limit
};

/// Where the currents of the two arrays of a differential pair are subtracted.
enum class Subtract {
  analog,   ///< before the ADC: one conversion a pair
  digital,  ///< after it: one conversion an array
};

/// @throws InvalidArgument for any other name than the enumerators'.
[[nodiscard]] DacRange parse_dac_range(std::string_view name);
[[nodiscard]] AdcRange parse_adc_range(std::string_view name);
[[nodiscard]] Subtract parse_subtract(std::string_view name);
[[nodiscard]] std::string_view dac_range_name(DacRange range);
[[nodiscard]] std::string_view adc_range_name(AdcRange range);
[[nodiscard]] std::string_view subtract_name(Subtract subtract);

/// DACs in front of the lines of every tile, ADCs behind its outputs; both symmetric with a code
/// for 0. With b bits the codes are the integers of -L .. L, L = 2^(b-1) - 1:
///   code(v) = round(v / step) in -L .. L,  step = range / L,
/// ties to even. Inputs are read out in sign and magnitude: the magnitude, input_bits - 1 bits, is
/// cut into digits of dac_bits bits, each read on its own with the sign of the input; what the
/// ADCs make of the reads is added up digitally, each shifted by its digit's place.
struct Converters {
  int input_bits = 0;  ///< 2 to 16; 0: ideal, inputs reach the lines as they are
  int dac_bits = 0;    ///< bits of a digit, without sign; 0, or input_bits - 1 and more: one read
  DacRange dac_range = DacRange::maximum;
  double dac_limit = 0;  ///< with DacRange::fixed, in units of the layer's inputs, > 0
  int adc_bits = 0;      ///< 2 to 16; 0: ideal
  AdcRange adc_range = AdcRange::calibrated;
  /// With AdcRange::fixed: the current of so many cells switched fully on, at the largest digit.
  double adc_limit = 0;
  double percentile = 99.99;    ///< of calibrated ranges, and where learned ones begin; (0, 100]
  int calibration_batches = 8;  ///< that a calibrated range is the mean over, >= 1
  Subtract subtract = Subtract::analog;

  /// Whether there is any converter at all.
  [[nodiscard]] bool present() const { return input_bits > 0 || adc_bits > 0; }
  /// Largest input code; 1 for ideal inputs, which are then measured in units of the range.
  [[nodiscard]] int input_limit() const { return input_bits > 0 ? (1 << (input_bits - 1)) - 1 : 1; }
  /// Reads of one input, and the largest digit of each.
  [[nodiscard]] int streams() const;
  [[nodiscard]] int digit_bits() const;
  [[nodiscard]] int digit_limit() const;
  /// Largest ADC code; 1 for ideal ADCs.
  [[nodiscard]] int adc_code_limit() const { return adc_bits > 0 ? (1 << (adc_bits - 1)) - 1 : 1; }
  friend bool operator==(const Converters&, const Converters&) = default;
};

/// @throws InvalidArgument naming the first field out of range.
void check_converters(const Converters& converters);

/// What the transposed read of gradients uses: their size changes all the time, so the DAC's range
/// is that of each batch; a learned ADC range, for which a gradient of gradients would be needed,
/// is calibrated.
[[nodiscard]] Converters backward_converters(const Converters& converters);

}  // namespace xbar::mapping
