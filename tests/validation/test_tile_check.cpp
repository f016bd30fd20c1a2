#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
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
  mapping.model = xbar::surrogate::ModelKind::ladder;
  xbar::nn::map_to_crossbars(network, mapping);
  // fc1: 2 tile rows x 2 tile columns x 2 polarities; fc2: 1 x 1 x 2.
  const auto all = xbar::validation::check_tiles(network, {.tiles = 100, .inputs = 8});
  REQUIRE(all.total == 10);
  REQUIRE(all.tiles == 10);
  REQUIRE(all.rows.size() == 4);
  for (std::size_t k = 0; k < 3; ++k) {
    REQUIRE(all.rows[k].mean_error > all.rows[k + 1].mean_error);
  }
  const auto some = xbar::validation::check_tiles(network, {.tiles = 4, .inputs = 8});
  REQUIRE(some.tiles == 4);
  REQUIRE(some.rows[1].worst_error <= all.rows[1].worst_error * 1.5);
}
