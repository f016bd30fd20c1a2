#include <cmath>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/models.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using namespace xbar::nn;

namespace {

std::vector<std::string> weight_shapes(Network& network) {
  std::vector<std::string> result;
  for (const WeightedLayer* layer : network.weighted_layers()) {
    result.push_back(layer->weight().name + " " + to_string(layer->weight().shape));
  }
  return result;
}

}  // namespace

TEST_CASE("nn/models: mlp is 784-256-128-10") {
  Network network = make_model("mlp", {1, 28, 28}, 10, 1);
  CHECK(weight_shapes(network) == std::vector<std::string>{"fc1.weight (256, 784)",
                                                           "fc2.weight (128, 256)",
                                                           "fc3.weight (10, 128)"});
  CHECK(network.forward(Tensor({2, 1, 28, 28})).shape() == Shape{2, 10});
  CHECK(make_model("mlp", {3, 32, 32}, 100, 1).output_shape() == Shape{100});
}

TEST_CASE("nn/models: lenet5 has the shapes of LeNet-5 and 61,706 parameters") {
  Network network = make_model("lenet5", {1, 28, 28}, 10, 1);
  CHECK(weight_shapes(network) ==
        std::vector<std::string>{"conv1.weight (6, 1, 5, 5)", "conv2.weight (16, 6, 5, 5)",
                                 "fc1.weight (120, 400)", "fc2.weight (84, 120)",
                                 "fc3.weight (10, 84)"});
  Index parameters = 0;
  for (const Parameter* p : network.parameters()) parameters += p->shape.volume();
  CHECK(parameters == 61706);  // 156 + 2416 + 48120 + 10164 + 850
  CHECK(network.forward(Tensor({2, 1, 28, 28})).shape() == Shape{2, 10});
  CHECK_THROWS_WITH(make_model("lenet5", {1, 32, 32}, 10, 1),
                    Contains("(channels, 28, 28)") && Contains("(1, 32, 32)"));
}

TEST_CASE("nn/models: an unknown name is answered with the nearest") {
  CHECK_THROWS_AS(make_model("lenet", {1, 28, 28}, 10, 1), xbar::InvalidArgument);
  CHECK_THROWS_WITH(
      make_model("lenet-5", {1, 28, 28}, 10, 1),
      Contains("mlp, lenet5") && Contains("found lenet-5") && Contains("did you mean lenet5?"));
  CHECK_THROWS_WITH(make_model("mlp", {1, 28, 28}, 0, 1), Contains("num_classes"));
  CHECK_THROWS_AS(make_model("mlp", {1, 0, 28}, 10, 1), xbar::InvalidArgument);
  CHECK(model_names() == std::vector<std::string>{"mlp", "lenet5", "alexnet", "vgg8", "vgg8s",
                                                  "vgg16", "resnet18", "resnet20", "resnet56"});
}

TEST_CASE("nn/models: weights are uniform in Kaiming's bounds, biases zero, and follow the seed") {
  Network network = make_model("mlp", {1, 28, 28}, 10, 3);
  for (WeightedLayer* layer : network.weighted_layers()) {
    const MatrixF& w = layer->weight_store().weight();
    const double bound = std::sqrt(6.0 / static_cast<double>(layer->in_features()));
    CHECK(w.cwiseAbs().maxCoeff() <= static_cast<float>(bound));
    // Variance of a uniform variable: bound^2 / 3. fc3, the smallest, has 1280 entries: the
    // relative standard error of the variance is sqrt(0.8 / 1280) = 2.5 %; five of them.
    const double variance = w.cast<double>().squaredNorm() / static_cast<double>(w.size());
    CHECK(std::abs(variance / (bound * bound / 3) - 1) <= 0.125);
    CHECK(layer->bias().store->weight().isZero());
  }
  Network same = make_model("mlp", {1, 28, 28}, 10, 3);
  Network other = make_model("mlp", {1, 28, 28}, 10, 4);
  const MatrixF& w = network.weighted_layers()[0]->weight_store().weight();
  CHECK(same.weighted_layers()[0]->weight_store().weight() == w);
  CHECK(other.weighted_layers()[0]->weight_store().weight() != w);
}
