#include <cmath>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/fit/amplitude_fit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::fit::AmplitudeData;
using xbar::fit::AmplitudeFit;
using xbar::fit::AmplitudeLayout;
using xbar::fit::fit_amplitudes;
using xbar::fit::parse_amplitude_data;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::WithinRel;

namespace {

constexpr double g_min = 1e-6;
constexpr double g_max = 1e-5;

/// Cells between 1 and 10 uS; a nominal pulse, 2 V up or 3 V down, takes them 0.3 and 0.2 of the
/// way to the bound, one of less voltage by the law. From anywhere, 40 voltages of either
/// direction.
AmplitudeData synthetic(const xbar::device::VoltageLaw& law, int devices, double noise,
                        std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "test/amplitudes");
  std::uint64_t draw = 0;
  AmplitudeData data{"synthetic", {}, {}};
  for (int d = 0; d < devices; ++d) {
    data.devices.push_back(std::to_string(d));
    for (int k = 0; k < 400; ++k) {
      const bool up = k % 2 == 0;
      const double share = (1 + k / 2 % 40) / 40.0;
      const double x = stream.uniform(draw++);
      const double count = law.exponent > 0 ? law.factor(share) : 1;
      const double left = std::pow(up ? 0.7 : 0.8, count);
      const double after = (up ? 1 - (1 - x) * left : x * left) + noise * stream.normal(draw++);
      data.pulses.push_back({static_cast<std::size_t>(d), up, share * (up ? 2 : 3), 0,
                             g_min + (g_max - g_min) * x, g_min + (g_max - g_min) * after});
    }
  }
  return data;
}

/// Of the law with a threshold.
const xbar::fit::Estimate& find(const AmplitudeFit& fit, const std::string& name) {
  for (const auto& e : fit.laws.back().parameters) {
    if (e.name == name) return e;
  }
  throw std::out_of_range(name);
}

}  // namespace

TEST_CASE("fit/amplitude_fit: without noise law, steps and bounds come back", "[fit]") {
  const AmplitudeFit fit = fit_amplitudes(synthetic({2.5, 0.4}, 1, 0, 1), {});
  REQUIRE(fit.laws[fit.best].name == "threshold");
  REQUIRE_THAT(fit.laws[fit.best].law.exponent, WithinRel(2.5, 1e-4));
  REQUIRE_THAT(fit.laws[fit.best].law.threshold, WithinRel(0.4, 1e-4));
  REQUIRE_THAT(find(fit, "down_threshold_volt").value, WithinRel(1.2, 1e-4));
  REQUIRE(fit.cell.has_value());
  REQUIRE_THAT(fit.cell->g_min_siemens, WithinRel(g_min, 1e-3));
  REQUIRE_THAT(fit.cell->g_max_siemens, WithinRel(g_max, 1e-3));
  REQUIRE_THAT(fit.cell->up_step, WithinRel(0.3, 1e-3));
  REQUIRE_THAT(fit.cell->down_step, WithinRel(0.2, 1e-3));
  // 40 voltages of each direction.
  REQUIRE(fit.levels.size() == 80);
}

TEST_CASE("fit/amplitude_fit: another nominal voltage is the same law", "[fit]") {
  // With V' = 1.6 and 2.4 V, 0.8 V: threshold 0.4/0.8, rates ((0.8 - 0.4)/(1 - 0.4))^2.5 of those.
  xbar::fit::AmplitudeFitOptions options;
  options.up_volt = 1.6;
  options.down_volt = 2.4;
  const AmplitudeFit fit = fit_amplitudes(synthetic({2.5, 0.4}, 1, 0, 1), options);
  REQUIRE_THAT(fit.laws[fit.best].law.exponent, WithinRel(2.5, 1e-4));
  REQUIRE_THAT(fit.laws[fit.best].law.threshold, WithinRel(0.5, 1e-4));
  REQUIRE_THAT(fit.cell->up_step, WithinRel(1 - std::pow(0.7, std::pow(2.0 / 3, 2.5)), 1e-3));
}

TEST_CASE("fit/amplitude_fit: twenty synthetic devices lie within their intervals", "[fit]") {
  // One device: intervals by independent residuals; twelve: by devices.
  for (const int devices : {1, 12}) {
    int within = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const AmplitudeFit fit = fit_amplitudes(synthetic({2.5, 0.4}, devices, 0.02, seed), {});
      CAPTURE(devices, seed);
      for (const auto& [name, value] :
           {std::pair{"exponent", 2.5}, {"threshold", 0.4}, {"up_step", 0.3}, {"down_step", 0.2}}) {
        const auto& e = find(fit, name);
        within += e.low <= value && value <= e.high ? 1 : 0;
      }
    }
    // Of 80 intervals of 95 % fewer than 69 with a probability of 1e-3, were all independent.
    CAPTURE(devices, within);
    CHECK(within >= 69);
  }
}

TEST_CASE("fit/amplitude_fit: the simplest law that is true is chosen", "[fit]") {
  const auto chosen = [](const xbar::device::VoltageLaw& law) {
    const AmplitudeFit fit = fit_amplitudes(synthetic(law, 12, 0.02, 7), {});
    return fit.laws[fit.best].name;
  };
  CHECK(chosen({0, 0}) == "none");
  CHECK(chosen({3, 0}) == "power");
  CHECK(chosen({3, 0.5}) == "threshold");
}

TEST_CASE("fit/amplitude_data: a row before says where a pulse starts", "[fit]") {
  AmplitudeLayout layout;
  layout.columns = {"device", "-", "pulse_volt", "after_ohm"};
  layout.up = false;
  const auto data = parse_amplitude_data(
      "1,x,0,1000\n1,x,1,2000\n1,x,2,4000\n1,x,1,5000\n2,x,3,8000\n", "f", layout);
  // Row 1: 0 V. Row 4: the voltage falls. Row 5: another device.
  REQUIRE(data.pulses.size() == 2);
  CHECK_FALSE(data.pulses[0].up);
  CHECK_THAT(data.pulses[0].before_siemens, WithinRel(1e-3, 1e-12));
  CHECK_THAT(data.pulses[1].before_siemens, WithinRel(5e-4, 1e-12));
  CHECK_THAT(data.pulses[1].after_siemens, WithinRel(2.5e-4, 1e-12));
}

TEST_CASE("fit/amplitude_data: what cannot be read is refused with its line", "[fit]") {
  const auto refusal = [](const std::string& text) {
    return message_of<xbar::IoError>([&] { (void)parse_amplitude_data(text, "f.csv", {}); });
  };
  const std::string heading = "device,direction,pulse_volt,before_ohm,after_ohm\n";
  CHECK(contains(refusal("device,pulse_volt,before_ohm,after_ohm\n"), "a column direction"));
  CHECK(
      contains(refusal("device,direction,pulse_volt,before_ohm\n"), "after_siemens or after_ohm"));
  CHECK(contains(refusal(heading + "a,up,1,2,0\n"), "line 2: after_ohm: expected > 0, found 0"));
  CHECK(contains(refusal(heading + "a,on,1,2,3\n"), "direction: expected up, down"));
  CHECK(contains(refusal(""), "f.csv: expected rows of pulses, found none"));
  AmplitudeLayout layout;
  layout.columns = {"device", "volt"};
  CHECK(contains(message_of<xbar::InvalidArgument>(
                     [&] { (void)parse_amplitude_data("1,2\n", "f.csv", layout); }),
                 "found 'volt'"));
  const auto data = parse_amplitude_data(heading + "a,up,1,2,3\n", "f.csv", {});
  CHECK(contains(message_of<xbar::IoError>([&] { (void)fit_amplitudes(data, {}); }),
                 "expected at least 20 pulses"));
}
