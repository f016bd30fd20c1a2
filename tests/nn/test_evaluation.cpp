#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/trainer.hpp>

#include "nn/support/images.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::MatrixF;
using xbar_test::WithinAbs;
using namespace xbar::nn;

namespace {

// The two pixels are the two logits.
Network identity_network() {
  Network network("identity", {1, 1, 2});
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", 2, 2).weight_store().set_weight(MatrixF::Identity(2, 2));
  return network;
}

ImageSet three_images() { return {3, 1, 1, 2, {1, 0, 0, 1, 0.5F, 0}, {0, 1, 1}}; }

}  // namespace

TEST_CASE("nn/evaluation: accuracy, loss and right images of three that are worked out by hand") {
  Network network = identity_network();
  const xbar::Index batch = GENERATE(1, 2, 3, 100);
  std::vector<double> done;
  const Evaluation result =
      evaluate(network, three_images(), batch, [&](const xbar::Progress& progress) {
        CHECK(progress.phase == "test");
        CHECK(progress.total == 3);
        done.push_back(progress.done);
      });
  CHECK(result.correct == std::vector<std::uint8_t>{1, 1, 0});
  CHECK_THAT(result.accuracy, WithinAbs(2.0 / 3.0, 1e-15));
  // log(1 + e^-1) twice; the last one's label has the smaller logit: log(1 + e^0.5).
  const double expected = (2 * std::log1p(std::exp(-1.0)) + std::log1p(std::exp(0.5))) / 3;
  CHECK_THAT(result.loss, WithinAbs(expected, 1e-7));
  CHECK(done.size() == static_cast<std::size_t>((3 + batch - 1) / batch));
  CHECK(done.back() == 3);
}

TEST_CASE("nn/evaluation: a network with a vector input takes flattened images") {
  Network network("vector", {2});
  network.emplace<Linear>("fc1", 2, 2).weight_store().set_weight(MatrixF::Identity(2, 2));
  CHECK(evaluate(network, three_images()).correct == std::vector<std::uint8_t>{1, 1, 0});
}

TEST_CASE("nn/evaluation: images whose logits are NaN count as wrong") {
  Network network = identity_network();
  network.weighted_layers()[0]->weight_store().set_weight(
      MatrixF::Constant(2, 2, std::numeric_limits<float>::quiet_NaN()));
  const Evaluation result = evaluate(network, three_images());
  CHECK(result.accuracy == 0);
  CHECK(std::isnan(result.loss));
}

TEST_CASE("nn/evaluation: images that do not fit are named") {
  Network network = identity_network();
  CHECK_THROWS_WITH(evaluate(network, three_images(), 0), Contains("batch"));
  ImageSet images = three_images();
  images.labels[1] = 2;
  CHECK_THROWS_WITH(evaluate(network, images), Contains("labels below 2") && Contains("found 2"));
  images = three_images();
  images.pixels.pop_back();
  CHECK_THROWS_AS(evaluate(network, images), xbar::InvalidArgument);
  CHECK_THROWS_AS(evaluate(network, ImageSet{0, 1, 1, 2, {}, {}}), xbar::InvalidArgument);
  CHECK_THROWS_WITH(evaluate(network, xbar_test::random_images(3, 4, 2, 1)),
                    Contains("(1, 1, 2)") && Contains("(1, 4, 4)"));
}

TEST_CASE("nn/evaluation: an exception of the progress function passes") {
  Network network = identity_network();
  CHECK_THROWS_AS(evaluate(network, three_images(), 1,
                           [](const xbar::Progress&) { throw xbar::Interrupted("stop"); }),
                  xbar::Interrupted);
}
