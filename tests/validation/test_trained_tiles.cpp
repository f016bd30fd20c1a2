#include <xbar/core/error.hpp>
#include <xbar/validation/trained_tiles.hpp>

#include "support/catch.hpp"

using xbar::Matrix;
using xbar::MatrixF;
using xbar::validation::trained_tiles;
using xbar::validation::weights_in;

TEST_CASE("validation/trained_tiles: shares of both polarities, row = input", "[validation]") {
  MatrixF weight(2, 3);  // out x in
  weight << 1, -2, 0, 4, 0, -1;
  // One tile of 3 x 2 a polarity: w / 4 where it has the polarity's sign.
  const auto tiles = trained_tiles({weight}, 3, 2, 10, 1);
  REQUIRE(tiles.size() == 2);
  Matrix plus(3, 2);
  Matrix minus(3, 2);
  plus << 0.25, 1, 0, 0, 0, 0;
  minus << 0, 0, 0.5, 0, 0, 0.25;
  const bool plus_first = tiles[0](0, 1) > 0.5;
  // Single precision of g_min + x (g_max - g_min).
  REQUIRE(tiles[plus_first ? 0 : 1].isApprox(plus, 1e-6));
  REQUIRE(tiles[plus_first ? 1 : 0].isApprox(minus, 1e-6));
}

TEST_CASE("validation/trained_tiles: whole tiles come before those at the edges", "[validation]") {
  // 5 inputs and 4 outputs on 4 x 4 tiles: one whole tile row, one with a single input.
  const MatrixF weight = MatrixF::Constant(4, 5, 1.0F);
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const auto tiles = trained_tiles({weight}, 4, 4, 3, seed);
    REQUIRE(tiles.size() == 3);
    // The two whole ones: all on and all off. The third has one wordline or none.
    REQUIRE(tiles[0].sum() + tiles[1].sum() == 16.0);
    REQUIRE(tiles[2].sum() <= 4.0);
  }
}

TEST_CASE("validation/trained_tiles: weights of a file are its matrices", "[validation]") {
  xbar::TensorFile file;
  file.tensors["conv.weight"] = {{2, 1, 1, 3}, {1, 2, 3, 4, 5, 6}};
  file.tensors["conv.bias"] = {{2}, {7, 8}};
  const auto weights = weights_in(file);
  REQUIRE(weights.size() == 1);
  REQUIRE(weights[0].rows() == 2);
  REQUIRE(weights[0].cols() == 3);
  REQUIRE(weights[0](1, 0) == 4);
  file.tensors.erase("conv.weight");
  REQUIRE_THROWS_AS(weights_in(file), xbar::InvalidArgument);
  REQUIRE_THROWS_AS(trained_tiles({}, 4, 4, 1, 1), xbar::InvalidArgument);
  REQUIRE_THROWS_AS(trained_tiles({MatrixF::Zero(4, 4)}, 4, 4, 1, 1), xbar::InvalidArgument);
  REQUIRE_THROWS_AS(trained_tiles({MatrixF::Ones(4, 4)}, 4, 4, 0, 1), xbar::InvalidArgument);
}

TEST_CASE("validation/trained_tiles: a network trained on glyphs fills a 256 x 256 tile",
          "[validation]") {
  const auto weights = xbar::validation::train_weights(1);
  REQUIRE(weights.size() == 3);
  const auto tiles = trained_tiles(weights, 256, 256, 1, 1);
  REQUIRE(tiles.front().rows() == 256);
  // Trained weights crowd near zero: half the cells of a polarity are at g_min, few are large.
  const double zero = static_cast<double>((tiles.front().array() < 1e-6).count()) / (256.0 * 256.0);
  REQUIRE_THAT(zero, xbar_test::WithinAbs(0.5, 0.1));
  REQUIRE(tiles.front().mean() < 0.15);
  REQUIRE(tiles.front().mean() > 0.01);
}
