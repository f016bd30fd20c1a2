#include <cmath>
#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/switching.hpp>

#include "support/catch.hpp"

using xbar::device::dynamic_model_names;
using xbar::device::make_dynamic_cell;
using xbar::device::quasi_static_thresholds;
using xbar::device::switching_time;
using xbar::device::SwitchingOptions;
using xbar_test::Contains;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

TEST_CASE("device/switching: VTEAM in closed form", "[device]") {
  const auto cell = make_dynamic_cell("vteam");
  // Half of 3 nm at 10 (|v|/0.2 - 1)^3 m/s and at 5e-4 (v/0.02 - 1) m/s.
  REQUIRE_THAT(switching_time(*cell, -0.4).value(), WithinRel(1.5e-10, 1e-9));
  REQUIRE_THAT(switching_time(*cell, 0.1, {.from_fraction = 1}).value(), WithinRel(7.5e-7, 1e-9));
  REQUIRE_FALSE(switching_time(*cell, -0.2).has_value());
  REQUIRE_FALSE(switching_time(*cell, 0.02, {.from_fraction = 1}).has_value());
}

TEST_CASE("device/switching: the time falls with the voltage, never rises", "[device]") {
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    double former = std::numeric_limits<double>::infinity();
    for (const double volt : {0.25, 0.5, 0.6, 0.8, 1.0, 1.4, 1.5, 1.6, 1.8}) {
      CAPTURE(name, volt);
      const auto time = switching_time(*cell, cell->set_sign() * volt, {.limit_second = 100});
      if (!time) {
        REQUIRE(std::isinf(former));  // only below the threshold
        continue;
      }
      REQUIRE(*time < former);
      former = *time;
    }
    REQUIRE(former < 100);
  }
}

TEST_CASE("device/switching: JART spans decades, steeper the lower the voltage", "[device]") {
  // SET from nanoseconds near 1.1 V to a second near 0.5 V, as filamentary cells do; the windows
  // are a factor of 3 around this model's own 0.974 s, 10.1 us and 22.1 ns.
  const auto cell = make_dynamic_cell("jart-vcm-v1b");
  const double slow = switching_time(*cell, -0.5, {.limit_second = 100}).value();
  const double middle = switching_time(*cell, -0.8, {.limit_second = 100}).value();
  const double fast = switching_time(*cell, -1.0, {.limit_second = 100}).value();
  REQUIRE(slow > 0.3);
  REQUIRE(slow < 3);
  REQUIRE(middle > 3e-6);
  REQUIRE(middle < 3e-5);
  REQUIRE(fast > 7e-9);
  REQUIRE(fast < 7e-8);
  // A decade each 60 mV there: SET time against voltage is steeper than a power of 20.
  REQUIRE(std::log(slow / middle) / std::log(0.8 / 0.5) > 20);
  // RESET is the slower, gradual one.
  REQUIRE(switching_time(*cell, 1.0, {.from_fraction = 1, .limit_second = 1}).value() > 1e3 * fast);
}

TEST_CASE("device/switching: Stanford-PKU, more than a decade each 0.2 V", "[device]") {
  const auto cell = make_dynamic_cell("stanford-pku");
  const double slow = switching_time(*cell, 1.4).value();
  const double fast = switching_time(*cell, 1.6).value();
  const double faster = switching_time(*cell, 2.0).value();
  REQUIRE(slow > 1.5e-7);
  REQUIRE(slow < 1.5e-6);
  REQUIRE(slow / fast > 5);
  REQUIRE(fast / faster > 25);
}

TEST_CASE("device/switching: warmer surroundings make it faster", "[device]") {
  for (const std::string name : {"stanford-pku", "jart-vcm-v1b"}) {
    double former = std::numeric_limits<double>::infinity();
    for (const double kelvin : {280.0, 300.0, 330.0, 360.0}) {
      const auto cell = make_dynamic_cell(name, {{"ambient_kelvin", kelvin}});
      const double volt = name == "jart-vcm-v1b" ? -0.7 : 1.5;
      const double time = switching_time(*cell, volt, {.limit_second = 100}).value();
      CAPTURE(name, kelvin, time);
      REQUIRE(time < former);
      former = time;
    }
  }
}

TEST_CASE("device/switching: quasi-static thresholds", "[device]") {
  // Models with a threshold come to it as the ramp slows; JART's falls with the rate for good.
  const auto vteam = quasi_static_thresholds(*make_dynamic_cell("vteam"), 1, 1);
  REQUIRE_THAT(vteam.set_volt.value(), WithinAbs(-0.2, 2e-3));
  REQUIRE_THAT(vteam.reset_volt.value(), WithinAbs(0.02, 5e-4));
  const auto stanford = quasi_static_thresholds(*make_dynamic_cell("stanford-pku"), 1, 3);
  REQUIRE_THAT(stanford.set_volt.value(), WithinAbs(1.3919, 2e-3));
  // Half way, at 0.95 nm, gamma = 15.314: 1.0970 V.
  REQUIRE_THAT(stanford.reset_volt.value(), WithinAbs(-1.0970, 2e-3));
  const auto jart = make_dynamic_cell("jart-vcm-v1b");
  const auto slow = quasi_static_thresholds(*jart, 0.1, 2);
  const auto fast = quasi_static_thresholds(*jart, 10, 2);
  REQUIRE_THAT(slow.set_volt.value(), WithinAbs(-0.53, 0.05));
  // Some 60 mV a decade of the rate.
  REQUIRE_THAT(slow.set_volt.value() - fast.set_volt.value(), WithinAbs(0.115, 0.04));
  REQUIRE(fast.reset_volt.value() > slow.reset_volt.value());
  REQUIRE_FALSE(quasi_static_thresholds(*make_dynamic_cell("yakopcic"), 1e6, 3).set_volt);
  REQUIRE_THROWS_WITH(quasi_static_thresholds(*jart, 0, 1), Contains("volt_per_second"));
  REQUIRE_THROWS_WITH(quasi_static_thresholds(*jart, 1, -1), Contains("limit_volt"));
}
