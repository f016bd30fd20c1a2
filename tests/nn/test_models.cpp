#include <cmath>
#include <map>
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

constexpr Index square(Index x) { return x * x; }

// Weights and biases of a convolution with a square kernel, or of a linear layer (kernel 1).
constexpr Index with_bias(Index in, Index out, Index kernel = 1) {
  return out * in * square(kernel) + out;
}

// A convolution without a bias, and scale and shift of the batch norm behind it.
constexpr Index with_norm(Index in, Index out, Index kernel = 3) {
  return out * in * square(kernel) + 2 * out;
}

// Parameters of a residual network of three-by-three convolutions for colour images and ten
// classes; a stage that begins with another number of channels has a projection there, or none.
Index residual_network(const std::vector<Index>& widths, Index blocks, bool projections) {
  Index channels = widths.front();
  Index result = with_norm(3, channels);
  for (const Index width : widths) {
    if (projections && width != channels) result += with_norm(channels, width, 1);
    result += with_norm(channels, width) + (2 * blocks - 1) * with_norm(width, width);
    channels = width;
  }
  return result + with_bias(channels, 10);
}

Index convolutions(const std::vector<Index>& channels, Index (*one)(Index, Index, Index)) {
  Index result = 0;
  for (std::size_t k = 1; k < channels.size(); ++k) result += one(channels[k - 1], channels[k], 3);
  return result;
}

}  // namespace

TEST_CASE("nn/models: every model has the parameters that its layers' sizes give") {
  const std::map<std::string, Index> expected{
      {"mlp", with_bias(3072, 256) + with_bias(256, 128) + with_bias(128, 10)},
      {"lenet5", with_bias(1, 6, 5) + with_bias(6, 16, 5) + with_bias(16 * 5 * 5, 120) +
                     with_bias(120, 84) + with_bias(84, 10)},
      {"alexnet", convolutions({3, 64, 192, 384, 256, 256}, with_bias) +
                      with_bias(256 * 2 * 2, 4096) + with_bias(4096, 4096) + with_bias(4096, 10)},
      {"vgg8", convolutions({3, 128, 128, 256, 256, 512, 512}, with_bias) +
                   with_bias(512 * 4 * 4, 1024) + with_bias(1024, 10)},
      {"vgg8s", convolutions({3, 32, 32, 64, 64, 128, 128}, with_norm) +
                    with_bias(128 * 4 * 4, 256) + with_bias(256, 10)},
      {"vgg16",
       convolutions({3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512}, with_norm) +
           with_bias(512, 10)},
      {"resnet18", residual_network({64, 128, 256, 512}, 2, true)},
      {"resnet20", residual_network({16, 32, 64}, 3, false)},
      {"resnet56", residual_network({16, 32, 64}, 9, false)},
  };
  for (const std::string& name : model_names()) {
    INFO(name);
    REQUIRE(expected.contains(name));  // a new model belongs into this test
    const Shape images = name == "lenet5" ? Shape{1, 28, 28} : Shape{3, 32, 32};
    Network network = make_model(name, images, 10, 1);
    Index parameters = 0;
    for (const Parameter* p : network.parameters()) parameters += p->shape.volume();
    CHECK(parameters == expected.at(name));
  }
}

TEST_CASE("nn/models: images that do not fit are refused by model, expected and found shape") {
  for (const std::string& name : model_names()) {
    INFO(name);
    if (name == "mlp") continue;  // takes any image
    const bool any_size = name.starts_with("resnet");
    const std::string expected = any_size           ? "(channels, height, width)"
                                 : name == "lenet5" ? "(channels, 28, 28)"
                                                    : "(channels, 32, 32)";
    CHECK_THROWS_WITH(make_model(name, {784}, 10, 1),
                      Contains("model " + name) && Contains(expected) && Contains("(784,)"));
    if (any_size) continue;
    CHECK_THROWS_WITH(make_model(name, {3, 30, 28}, 10, 1),
                      Contains("model " + name) && Contains(expected) && Contains("(3, 30, 28)"));
  }
}

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
