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

TEST_CASE("nn/sensitivity: with the errors in place of the weights, by hand", "[nn]") {
  // As in the first case, with errors (0.5, -0.25) of the weights (2, 1): (0.5 p1, 0.25 p1).
  xbar::nn::Network network("net", {1});
  auto& layer = network.emplace<xbar::nn::Linear>("fc", 1, 2);
  xbar::MatrixF weight(2, 1);
  weight << 2, 1;
  layer.weight_store().set_weight(weight);
  const xbar::nn::ImageSet images{1, 1, 1, 1, {1.0F}, {0}};
  xbar::MatrixF errors(2, 1);
  errors << 0.5F, -0.25F;
  const auto result = xbar::nn::error_sensitivity(network, images, 1, {errors});
  const double p1 = 1 / (1 + std::exp(1.0));
  CHECK_THAT(result[0].columns[0], xbar_test::WithinRel(0.5 * p1, 1e-6));
  CHECK_THAT(result[0].columns[1], xbar_test::WithinRel(0.25 * p1, 1e-6));
  CHECK_THAT(result[0].rows[0], xbar_test::WithinRel(0.75 * p1, 1e-6));
  REQUIRE_THROWS_WITH(xbar::nn::error_sensitivity(network, images, 1, {}),
                      xbar_test::Contains("errors: expected 1 layers, got 0"));
  REQUIRE_THROWS_WITH(xbar::nn::error_sensitivity(network, images, 1, {errors.transpose()}),
                      xbar_test::Contains("errors of fc: expected 2 x 1, got 1 x 2"));
}

TEST_CASE("nn/sensitivity: measured with one line at a time weakened, by hand", "[nn]") {
  // Label 0, L = ln(1 + exp(z1 - z0)). Column 0 less a half: z = (1, 1), L = ln 2 from ln(1 + 1/e);
  // column 1: z = (2, 0.5), which helps and counts as 0. The row less a tenth: z = (1.8, 0.9).
  xbar::nn::Network network("net", {1});
  auto& layer = network.emplace<xbar::nn::Linear>("fc", 1, 2);
  xbar::MatrixF weight(2, 1);
  weight << 2, 1;
  layer.weight_store().set_weight(weight);
  const xbar::nn::WeightStore* store = &layer.weight_store();
  const xbar::nn::ImageSet images{1, 1, 1, 1, {1.0F}, {0}};
  const auto result = xbar::nn::measured_sensitivity(network, images, 1, {{0.5, 0.1}});
  const double loss = std::log1p(std::exp(-1.0));
  CHECK_THAT(result[0].columns[0], xbar_test::WithinRel(std::log(2.0) - loss, 1e-5));
  CHECK(result[0].columns[1] == 0);
  CHECK_THAT(result[0].rows[0], xbar_test::WithinRel(std::log1p(std::exp(-0.9)) - loss, 1e-5));
  CHECK(result[0].weights.size() == 0);
  CHECK(&layer.weight_store() == store);  // as it was
  CHECK(store->weight() == weight);
  const auto columns = xbar::nn::measured_sensitivity(network, images, 1, {{0.5, 0}});
  CHECK(columns[0].rows[0] == 0);
  REQUIRE_THROWS_WITH(xbar::nn::measured_sensitivity(network, images, 1, {}),
                      xbar_test::Contains("trials: expected 1 layers, got 0"));
}

TEST_CASE("nn/sensitivity: kinds by name", "[nn]") {
  using xbar::nn::SensitivityKind;
  CHECK(xbar::nn::parse_sensitivity_kind("error-aware") == SensitivityKind::error_aware);
  CHECK(xbar::nn::parse_sensitivity_kind("measured") == SensitivityKind::measured);
  REQUIRE_THROWS_WITH(xbar::nn::parse_sensitivity_kind("hessian"),
                      xbar_test::Contains("expected taylor, fisher, error-aware or measured"));
}
