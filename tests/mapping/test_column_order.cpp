#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/mapping/column_order.hpp>

#include "support/catch.hpp"

using xbar::Index;
using xbar::mapping::order_by_sensitivity;
using xbar::mapping::rows_by_sensitivity;

TEST_CASE("mapping/column_order: the most sensitive outputs sit nearest the drivers", "[mapping]") {
  // Five outputs on two tiles of three columns: ranks 0, 1 take slot 0 of both tiles (slots 0, 3),
  // ranks 2, 3 slot 1 (slots 1, 4), rank 4 slot 2.
  const std::vector<double> sensitivity = {0.1, 0.9, 0.5, 0.7, 0.3};
  REQUIRE(order_by_sensitivity(sensitivity, 3) == std::vector<Index>{2, 0, 1, 3, 4});
}

TEST_CASE("mapping/column_order: the most sensitive inputs sit nearest the sense amplifiers",
          "[mapping]") {
  // As above from the other end: ranks 0, 1 on the last wordlines (slots 2, 5), 2, 3 before them.
  const std::vector<double> sensitivity = {0.1, 0.9, 0.5, 0.7, 0.3};
  REQUIRE(rows_by_sensitivity(sensitivity, 3) == std::vector<Index>{0, 2, 1, 5, 4});
}

TEST_CASE("mapping/column_order: equal sensitivities keep their order", "[mapping]") {
  REQUIRE(order_by_sensitivity({1, 1, 1}, 8) == std::vector<Index>{0, 1, 2});
}

TEST_CASE("mapping/column_order: refuses nothing and not-a-number", "[mapping]") {
  REQUIRE_THROWS_AS(order_by_sensitivity({}, 8), xbar::InvalidArgument);
  REQUIRE_THROWS_WITH(order_by_sensitivity({1, std::numeric_limits<double>::quiet_NaN()}, 8),
                      xbar_test::Contains("place 1"));
  REQUIRE_THROWS_WITH(xbar::mapping::parse_remap_strategy("best"),
                      xbar_test::Contains("none, srs, drs or optimal"));
}
