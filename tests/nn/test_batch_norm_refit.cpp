#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/linear.hpp>

#include "support/catch.hpp"

using xbar::MatrixF;
using xbar::nn::Network;

namespace {

// One input, one channel, weight w behind which is batch normalisation with running mean 1 and
// variance 4.
Network network_of(float w) {
  Network network("net", {1});
  network.emplace<xbar::nn::Linear>("fc", 1, 1)
      .weight_store()
      .set_weight(MatrixF::Constant(1, 1, w));
  auto& norm = network.emplace<xbar::nn::BatchNorm>("bn", 1);
  norm.running_mean()(0) = 1;
  norm.running_variance()(0) = 4;
  return network;
}

float output_for(Network& network, float x) {
  xbar::nn::Tensor input(network.input_shape().batch(1));
  input.data()[0] = x;
  return network.forward(input).data()[0];
}

}  // namespace

TEST_CASE("nn/batch_norm_refit: statistics become those of the images", "[nn]") {
  // x = 1, 3 times 2: mean 4, variance 2 * 4 (of one less than two values).
  auto network = network_of(2);
  const xbar::nn::ImageSet images{2, 1, 1, 1, {1.0F, 3.0F}, {0, 0}};
  xbar::nn::refit_batch_norm(network, images, 2);
  const auto buffers = network.buffers();
  CHECK_THAT(buffers[0]->values(0), xbar_test::WithinRel(4.0F, 1e-6F));
  CHECK_THAT(buffers[1]->values(0), xbar_test::WithinRel(8.0F, 1e-6F));
}

TEST_CASE("nn/batch_norm_refit: matched to a network, a scaled copy computes the same", "[nn]") {
  auto ideal = network_of(2);
  auto scaled = network_of(1.5F);
  const xbar::nn::ImageSet images{4, 1, 1, 1, {1.0F, 3.0F, 0.5F, 2.0F}, {0, 0, 0, 0}};
  const float before = output_for(ideal, 0.7F);
  REQUIRE(std::abs(output_for(scaled, 0.7F) - before) > 0.1F);
  xbar::nn::match_batch_norm(scaled, ideal, images, 4);
  for (const float x : {-1.0F, 0.0F, 0.7F, 5.0F}) {
    CHECK(std::abs(output_for(scaled, x) - output_for(ideal, x)) <= 1e-5F);
  }
  CHECK(output_for(ideal, 0.7F) == before);  // as it was
  auto same = network_of(2);
  xbar::nn::match_batch_norm(same, ideal, images, 4);
  CHECK(std::abs(output_for(same, 0.7F) - before) <= 1e-6F);
}

TEST_CASE("nn/batch_norm_refit: refuses networks of other layers", "[nn]") {
  auto network = network_of(1);
  Network plain("plain", {1});
  plain.emplace<xbar::nn::Linear>("fc", 1, 1);
  const xbar::nn::ImageSet images{2, 1, 1, 1, {1.0F, 3.0F}, {0, 0}};
  REQUIRE_THROWS_WITH(xbar::nn::match_batch_norm(network, plain, images, 2),
                      xbar_test::Contains("found 1 and 0 of batch normalisation"));
  REQUIRE_THROWS_WITH(xbar::nn::refit_batch_norm(plain, images, 2),
                      xbar_test::Contains("expected a network with batch normalisation"));
}
