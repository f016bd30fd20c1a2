#include <xbar/core/error.hpp>
#include <xbar/mapping/technology.hpp>

#include "support/catch.hpp"

using xbar::mapping::check_technology;
using xbar::mapping::Technology;
using xbar_test::Contains;

TEST_CASE("mapping/technology: the defaults are usable, each bad field is named", "[mapping]") {
  REQUIRE_NOTHROW(check_technology({}));
  const auto broken = [](auto change) {
    Technology technology;
    change(technology);
    return technology;
  };
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.on_ohm = 0; })), Contains("on-ohm"));
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.on_off_ratio = 1; })),
                      Contains("on-off-ratio"));
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.wires.sink_ohm = -1; })),
                      Contains("sink-ohm"));
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.tile_rows = 0; })),
                      Contains("tile-rows"));
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.tile_columns = 5000; })),
                      Contains("tile-columns"));
  REQUIRE_THROWS_WITH(check_technology(broken([](auto& t) { t.update.write_noise = -0.1; })),
                      Contains("write-noise"));
  REQUIRE_THROWS_WITH(xbar::mapping::parse_gain("row"), Contains("none, tile or column"));
}
