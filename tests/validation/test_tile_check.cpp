#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/validation/tile_check.hpp>

#include "support/catch.hpp"

TEST_CASE("validation/tile_check: measures a network's own arrays", "[validation]") {
  xbar::nn::Network network("net", {20});
  network.emplace<xbar::nn::Linear>("fc1", 20, 12);
  network.emplace<xbar::nn::Linear>("fc2", 12, 4);
  xbar::nn::initialise(network, 1);
  REQUIRE_THROWS_AS(xbar::validation::check_tiles(network, {}), xbar::InvalidArgument);

  xbar::nn::CrossbarMapping mapping;
  mapping.technology.tile_rows = 16;
  mapping.technology.tile_columns = 8;
  mapping.make_model = [](const xbar::WireResistance& wires) {
    return xbar::surrogate::make_ladder_model(wires);
  };
  xbar::nn::map_to_crossbars(network, mapping);
  // fc1: 2 tile rows x 2 tile columns x 2 polarities; fc2: 1 x 1 x 2.
  const auto all = xbar::validation::check_tiles(network, {.tiles = 100, .inputs = 8});
  REQUIRE(all.total == 10);
  REQUIRE(all.tiles == 10);
  REQUIRE(all.rows.size() == 3);
  REQUIRE(all.rows[0].error.mean > all.rows[1].error.mean);
  REQUIRE(all.rows[1].error.mean > all.rows[2].error.mean);
  const auto some = xbar::validation::check_tiles(network, {.tiles = 4, .inputs = 8});
  REQUIRE(some.tiles == 4);
  REQUIRE(some.rows[1].error.worst <= all.rows[1].error.worst * 1.5);
}
