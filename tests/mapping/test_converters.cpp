#include <xbar/core/error.hpp>
#include <xbar/mapping/converters.hpp>

#include "support/catch.hpp"

using namespace xbar::mapping;
using xbar_test::Contains;

TEST_CASE("mapping/converters: names go there and back, others are refused") {
  for (const auto range :
       {DacRange::maximum, DacRange::calibrated, DacRange::learned, DacRange::fixed}) {
    CHECK(parse_dac_range(dac_range_name(range)) == range);
  }
  for (const auto range :
       {AdcRange::full_scale, AdcRange::calibrated, AdcRange::learned, AdcRange::fixed}) {
    CHECK(parse_adc_range(adc_range_name(range)) == range);
  }
  for (const auto subtract : {Subtract::analog, Subtract::digital}) {
    CHECK(parse_subtract(subtract_name(subtract)) == subtract);
  }
  CHECK_THROWS_WITH(parse_dac_range("full-scale"),
                    Contains("dac-range: expected maximum, calibrated, learned or fixed, got "
                             "'full-scale'"));
  CHECK_THROWS_WITH(parse_adc_range("maximum"), Contains("adc-range: expected full-scale, "));
  CHECK_THROWS_WITH(parse_subtract("no"), Contains("subtract: expected analog or digital"));
}

TEST_CASE("mapping/converters: digits of the magnitude") {
  Converters c;
  CHECK_FALSE(c.present());
  CHECK(c.streams() == 1);
  CHECK(c.digit_limit() == 1);
  c.input_bits = 8;  // sign and 7 bits
  CHECK(c.present());
  CHECK(c.input_limit() == 127);
  struct Case {
    int dac_bits, streams, digit_bits, digit_limit;
  };
  // 7 = 7 x 1 = 4 + 3 = 3 + 3 + 1 bits; more than 7 are not needed.
  for (const Case& k : {Case{0, 1, 7, 127},
                        {1, 7, 1, 1},
                        {4, 2, 4, 15},
                        {3, 3, 3, 7},
                        {7, 1, 7, 127},
                        {8, 1, 7, 127}}) {
    INFO("dac_bits " << k.dac_bits);
    c.dac_bits = k.dac_bits;
    CHECK(c.streams() == k.streams);
    CHECK(c.digit_bits() == k.digit_bits);
    CHECK(c.digit_limit() == k.digit_limit);
  }
}

TEST_CASE("mapping/converters: what is out of range is refused by name") {
  const auto refused = [](const char* field, const auto& change) {
    Converters c{.input_bits = 8, .adc_bits = 8};
    CHECK_NOTHROW(check_converters(c));
    change(c);
    CHECK_THROWS_WITH(check_converters(c), Contains(field));
  };
  refused("input-bits", [](Converters& c) { c.input_bits = 1; });
  refused("input-bits", [](Converters& c) { c.input_bits = 17; });
  refused("adc-bits", [](Converters& c) { c.adc_bits = -1; });
  refused("dac-bits", [](Converters& c) { c.dac_bits = -1; });
  refused("dac-bits", [](Converters& c) {
    c.input_bits = 0;
    c.dac_bits = 1;
  });
  refused("dac-limit", [](Converters& c) { c.dac_range = DacRange::fixed; });
  refused("adc-limit", [](Converters& c) { c.adc_range = AdcRange::fixed; });
  refused("percentile", [](Converters& c) { c.percentile = 0; });
  refused("percentile", [](Converters& c) { c.percentile = 100.1; });
  refused("calibration-batches", [](Converters& c) { c.calibration_batches = 0; });
}

TEST_CASE("mapping/converters: gradients are read with the DAC's range of each batch") {
  const Converters forward{.input_bits = 8,
                           .dac_range = DacRange::fixed,
                           .dac_limit = 6,
                           .adc_bits = 6,
                           .adc_range = AdcRange::learned};
  const Converters backward = backward_converters(forward);
  CHECK(backward.dac_range == DacRange::maximum);
  CHECK(backward.adc_range == AdcRange::calibrated);
  CHECK(backward.adc_bits == 6);
  CHECK(backward_converters({.adc_range = AdcRange::full_scale}).adc_range == AdcRange::full_scale);
}
