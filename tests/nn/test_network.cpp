#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/network.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::InvalidArgument;
using xbar::MatrixF;
using xbar::NamedTensor;
using xbar::TensorFile;
using namespace xbar::nn;

namespace {

Network small_network() {
  Network network("small", {2, 4, 4});
  network.emplace<Conv2d>(
      "conv1",
      Conv2dOptions{.in_channels = 2, .out_channels = 3, .kernel_height = 2, .kernel_width = 3});
  network.emplace<Relu>("relu1");
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", 18, 4);
  initialise(network, 5);
  for (Parameter* p : network.parameters()) {
    if (p->shape.rank() == 1) p->store->set_weight(xbar_test::random_matrix(p->shape[0], 1, 8));
  }
  return network;
}

}  // namespace

TEST_CASE("nn/network: knows its shapes, layers and parameters") {
  Network network = small_network();
  CHECK(network.input_shape() == Shape{2, 4, 4});
  CHECK(network.output_shape() == Shape{4});
  CHECK(network.layers().size() == 4);
  std::vector<std::string> names;
  for (const Parameter* p : network.parameters()) names.push_back(p->name);
  CHECK(names == std::vector<std::string>{"conv1.weight", "conv1.bias", "fc1.weight", "fc1.bias"});
  const std::vector<WeightedLayer*> weighted = network.weighted_layers();
  REQUIRE(weighted.size() == 2);
  CHECK(weighted[0]->name() == "conv1");
  CHECK(weighted[0]->in_features() == 12);
  CHECK(weighted[0]->out_features() == 3);
  CHECK(weighted[1]->in_features() == 18);
  CHECK(std::as_const(network).weighted_layers().size() == 2);
}

TEST_CASE("nn/network: a layer that does not fit, or whose name is taken, is refused") {
  Network network("net", {1, 2, 2});
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", 4, 3);
  CHECK_THROWS_WITH((network.emplace<Linear>("fc2", 4, 3)), Contains("fc2") && Contains("(1, 3)"));
  CHECK_THROWS_WITH((network.emplace<Linear>("fc1", 3, 3)), Contains("fc1") && Contains("twice"));
  CHECK(network.layers().size() == 2);
  CHECK_THROWS_WITH(network.forward(Tensor({5, 4})), Contains("(1, 2, 2)") && Contains("(5, 4)"));
}

TEST_CASE("nn/network: the gradients through all layers agree with finite differences") {
  Network network = small_network();
  SoftmaxCrossEntropy loss;
  const Tensor x = xbar_test::random_tensor({3, 2, 4, 4}, 1);
  const std::vector<std::uint8_t> labels{1, 3, 0};
  loss.forward(network.forward(x), labels);
  network.backward(loss.backward());
  std::vector<MatrixF> gradients;
  for (const Parameter* p : network.parameters()) gradients.push_back(p->gradient);
  const float step = 2e-3F;
  double worst = 0;
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    Parameter* p = network.parameters()[k];
    for (Index i = 0; i < gradients[k].size(); ++i) {
      const MatrixF here = p->store->weight();
      MatrixF moved = here;
      moved.data()[i] += step;
      p->store->set_weight(moved);
      const double above = loss.forward(network.forward(x), labels);
      moved.data()[i] -= 2 * step;
      p->store->set_weight(moved);
      const double below = loss.forward(network.forward(x), labels);
      p->store->set_weight(here);
      const double expected = (above - below) / (2 * static_cast<double>(step));
      const double error = std::abs(expected - static_cast<double>(gradients[k].data()[i]));
      worst = error <= worst ? worst : error;
    }
  }
  // Rounding of the logits, 3e-7 / step = 1.5e-4, and a step across a kink of a ReLU would show up
  // as 1e-3 to 1e-2 here; wrong signs or indices as 1e-1.
  CHECK(worst <= 2e-3);
}

TEST_CASE("nn/network: a network without parameters has nothing to do in backward") {
  Network network("net", {1, 2, 2});
  network.emplace<Relu>("relu1");
  const Tensor x({1, 1, 2, 2});
  network.forward(x);
  CHECK_NOTHROW(network.backward(x));
}

TEST_CASE("nn/network: a state goes through a file and comes back bit for bit") {
  Network network = small_network();
  const TensorFile state = network.state();
  CHECK(state.metadata.at("model") == "small");
  CHECK(state.tensors.at("conv1.weight").shape == std::vector<std::int64_t>{3, 2, 2, 3});
  CHECK(state.tensors.at("fc1.bias").shape == std::vector<std::int64_t>{4});

  const auto path = std::filesystem::temp_directory_path() / "xbar_test_network.safetensors";
  write_safetensors(path, state);
  Network other = small_network();
  initialise(other, 77);
  other.load_state(xbar::read_safetensors(path));
  std::filesystem::remove(path);
  const Tensor x = xbar_test::random_tensor({3, 2, 4, 4}, 1);
  const Tensor expected = network.forward(x);
  const Tensor& found = other.forward(x);
  for (Index i = 0; i < expected.size(); ++i) CHECK(found[i] == expected[i]);
}

TEST_CASE("nn/network: missing, unknown and mis-shaped tensors are named, and nothing is changed") {
  Network network = small_network();
  const MatrixF before = network.weighted_layers()[0]->weight_store().weight();
  TensorFile good = network.state();
  for (auto& [name, tensor] : good.tensors) {
    for (float& value : tensor.values) value += 1;
  }

  TensorFile file = good;
  file.tensors.erase("fc1.weight");
  CHECK_THROWS_AS(network.load_state(file), InvalidArgument);
  CHECK_THROWS_WITH(network.load_state(file), Contains("small") && Contains("fc1.weight") &&
                                                  Contains("(4, 18)") && Contains("none"));
  file = good;
  file.tensors["fc1.wieght"] = NamedTensor{{4, 18}, std::vector<float>(72)};
  CHECK_THROWS_WITH(network.load_state(file), Contains("fc1.wieght") && Contains("(4, 18)") &&
                                                  Contains("; did you mean fc1.weight?"));
  file = good;
  file.tensors["conv1.weight"] = NamedTensor{{3, 12}, std::vector<float>(36)};
  CHECK_THROWS_WITH(network.load_state(file),
                    Contains("conv1.weight") && Contains("(3, 2, 2, 3)") && Contains("(3, 12)"));
  CHECK(network.weighted_layers()[0]->weight_store().weight() == before);
  CHECK_NOTHROW(network.load_state(good));
}
