#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/mapping/column_order.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::mapping::order_by_sensitivity;

TEST_CASE("mapping/column_order: the most sensitive outputs sit nearest the drivers", "[mapping]") {
  // Five outputs on two tiles of three columns: ranks 0, 1 take slot 0 of both tiles (slots 0, 3),
  // ranks 2, 3 slot 1 (slots 1, 4), rank 4 slot 2.
  const std::vector<double> sensitivity = {0.1, 0.9, 0.5, 0.7, 0.3};
  REQUIRE(order_by_sensitivity(sensitivity, 3) == std::vector<Index>{2, 0, 1, 3, 4});
}

TEST_CASE("mapping/column_order: equal sensitivities keep their order", "[mapping]") {
  REQUIRE(order_by_sensitivity({1, 1, 1}, 8) == std::vector<Index>{0, 1, 2});
}

TEST_CASE("mapping/column_order: refuses nothing and not-a-number", "[mapping]") {
  REQUIRE_THROWS_AS(order_by_sensitivity({}, 8), xbar::InvalidArgument);
  REQUIRE_THROWS_WITH(order_by_sensitivity({1, std::numeric_limits<double>::quiet_NaN()}, 8),
                      xbar_test::Contains("output 1"));
  REQUIRE_THROWS_WITH(xbar::mapping::parse_remap_strategy("best"),
                      xbar_test::Contains("none or srs"));
}
