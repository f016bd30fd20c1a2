#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/sensitivity.hpp>

#include "support/catch.hpp"

TEST_CASE("nn/sensitivity: |w . dL/dw| of a two-class neuron pair, by hand", "[nn]") {
  // One input pixel x = 1, two outputs z = (2, 1), label 0: p1 = 1/(1 + e), dz = (-p1, p1).
  // Column k: |W_k x dz_k| = (2 p1, 1 p1).
  xbar::nn::Network network("net", {1});
  auto& layer = network.emplace<xbar::nn::Linear>("fc", 1, 2);
  xbar::MatrixF weight(2, 1);
  weight << 2, 1;
  layer.weight_store().set_weight(weight);
  xbar::nn::ImageSet images{1, 1, 1, 1, {1.0F}, {0}};
  const auto result = xbar::nn::layer_sensitivity(network, images, 5);
  const double p1 = 1 / (1 + std::exp(1.0));
  REQUIRE(result.size() == 1);
  REQUIRE(result[0].layer == "fc");
  REQUIRE_THAT(result[0].columns[0], xbar_test::WithinRel(2 * p1, 1e-6));
  REQUIRE_THAT(result[0].columns[1], xbar_test::WithinRel(p1, 1e-6));
}

TEST_CASE("nn/sensitivity: the absolute value is taken for each image", "[nn]") {
  // Two images with opposite labels: the gradients cancel in the mean, the sensitivities do not.
  xbar::nn::Network network("net", {1});
  auto& layer = network.emplace<xbar::nn::Linear>("fc", 1, 2);
  xbar::MatrixF weight(2, 1);
  weight << 1, 1;
  layer.weight_store().set_weight(weight);
  xbar::nn::ImageSet images{2, 1, 1, 1, {1.0F, 1.0F}, {0, 1}};
  const auto result = xbar::nn::layer_sensitivity(network, images, 2);
  REQUIRE_THAT(result[0].columns[0], xbar_test::WithinRel(0.5, 1e-6));
  REQUIRE_THROWS_AS(xbar::nn::layer_sensitivity(network, images, 0), xbar::InvalidArgument);
}
