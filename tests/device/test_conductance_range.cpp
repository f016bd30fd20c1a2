#include <xbar/core/error.hpp>
#include <xbar/device/conductance_range.hpp>

#include "support/catch.hpp"

using xbar::device::conductance_range;

TEST_CASE("device/conductance_range: 20 kohm at ratio 10 is 5 to 50 microsiemens", "[device]") {
  const auto range = conductance_range(20e3, 10);
  REQUIRE_THAT(range.g_max, xbar_test::WithinRel(50e-6, 1e-15));
  REQUIRE_THAT(range.g_min, xbar_test::WithinRel(5e-6, 1e-15));
  REQUIRE_THAT(range.width(), xbar_test::WithinRel(45e-6, 1e-14));
}

TEST_CASE("device/conductance_range: refuses what is no resistance or no ratio", "[device]") {
  for (const double ohm : {0.0, -1.0, std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    REQUIRE_THROWS_WITH(conductance_range(ohm, 10), xbar_test::Contains("on-ohm"));
  }
  for (const double ratio : {1.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
    REQUIRE_THROWS_WITH(conductance_range(1e4, ratio), xbar_test::Contains("on-off-ratio"));
  }
}
