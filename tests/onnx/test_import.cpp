#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/models.hpp>
#include <xbar/nn/sgd.hpp>
#include <xbar/onnx/import.hpp>

#include "nn/support/gradients.hpp"
#include "onnx/support/model_writer.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar_test::Lengths;
using xbar_test::ModelWriter;
using namespace xbar::nn;

namespace {

std::vector<float> random_values(Index count, std::uint64_t seed) {
  const xbar::RandomStream stream(seed, "weights");
  std::vector<float> values;
  for (Index k = 0; k < count; ++k) {
    values.push_back(static_cast<float>(stream.uniform(static_cast<std::uint64_t>(k), -0.5, 0.5)));
  }
  return values;
}

// Two residual blocks of convolutions, the second with a projection, and a linear layer.
ModelWriter residual_model() {
  ModelWriter model({-1, 2, 6, 6});
  const auto convolution = [&](const std::string& name, const std::string& from, Index in,
                               Index out, Index kernel, Index stride) {
    model.reals(name + ".weight", {out, in, kernel, kernel},
                random_values(out * in * kernel * kernel, model.bytes().size()));
    model.node("Conv", {from, name + ".weight"}, "/" + name + "/Conv")
        .wholes("strides", {stride, stride})
        .wholes("pads", Lengths(4, kernel / 2));
    return "/" + name + "/Conv_out";
  };
  model.node("Relu", {convolution("stem", "x", 2, 4, 3, 1)}, "/Relu");
  model.node("Relu", {convolution("a.conv1", "/Relu_out", 4, 4, 3, 1)}, "/a/Relu");
  model.node("Add", {convolution("a.conv2", "/a/Relu_out", 4, 4, 3, 1), "/Relu_out"}, "/a/Add");
  model.node("Relu", {"/a/Add_out"}, "/a/Relu_1");
  const std::string main = convolution("b.conv1", "/a/Relu_1_out", 4, 6, 3, 2);
  const std::string side = convolution("b.side", "/a/Relu_1_out", 4, 6, 1, 2);
  model.node("Add", {side, main}, "/b/Add");
  model.node("GlobalAveragePool", {"/b/Add_out"}, "/pool");
  model.node("Flatten", {"/pool_out"}, "/flat");
  model.reals("fc.weight", {3, 6}, random_values(18, 5));
  model.reals("fc.bias", {3}, random_values(3, 6));
  model.node("Gemm", {"/flat_out", "fc.weight", "fc.bias"}, "/fc/Gemm").whole("transB", 1);
  return model;
}

Network residual_network() {
  return xbar::onnx::import_network(residual_model().bytes(), "net.onnx", {2, 6, 6}, 3);
}

}  // namespace

TEST_CASE("onnx/import: branches become graphs, the rest layers in a row, all with their names") {
  const Network network = residual_network();
  std::vector<std::string> layers;
  for (const auto& layer : network.layers()) layers.push_back(layer->name());
  CHECK(layers == std::vector<std::string>{"stem", "Relu", "graph", "a.Relu_1", "graph_2", "pool",
                                           "flat", "fc"});
  std::vector<std::string> weighted;
  for (const WeightedLayer* layer : network.weighted_layers()) weighted.push_back(layer->name());
  CHECK(weighted ==
        std::vector<std::string>{"stem", "a.conv1", "a.conv2", "b.conv1", "b.side", "fc"});
  CHECK(network.state().tensors.at("fc.weight").values == random_values(18, 5));
}

TEST_CASE("onnx/import: gradients through branches agree with finite differences") {
  Network network = residual_network();
  const Tensor x = xbar_test::random_tensor({2, 2, 6, 6}, 4);
  const std::vector<std::uint8_t> labels{0, 2};
  SoftmaxCrossEntropy loss;
  const auto value = [&] { return loss.forward(network.forward(x), labels); };
  value();
  network.backward(loss.backward());
  for (Parameter* parameter : network.parameters()) {
    const xbar::MatrixF gradient = parameter->gradient;
    // Along the gradient the loss rises by its norm times the step; 1e-3 keeps away from kinks, and
    // the float losses of about 1 are good to 1e-6 of the difference's 1e-3.
    const xbar::MatrixF weight = parameter->store->weight();
    const float step = 1e-3F;
    const xbar::MatrixF direction = gradient / gradient.norm();
    parameter->store->set_weight(weight + step * direction);
    const double above = static_cast<double>(value());
    parameter->store->set_weight(weight - step * direction);
    const double below = static_cast<double>(value());
    parameter->store->set_weight(weight);
    const auto expected = static_cast<double>(gradient.norm());
    CAPTURE(parameter->name, expected);
    REQUIRE(expected > 1e-3);
    CHECK(std::abs((above - below) / (2 * static_cast<double>(step)) - expected) <=
          0.02 * expected + 1e-3);
  }
}

TEST_CASE("onnx/import: on ideal arrays, re-mapped too, the network computes the same") {
  Network plain = residual_network();
  Network arrays = residual_network();
  CrossbarMapping mapping;
  mapping.model = xbar::surrogate::ModelKind::ideal;
  map_to_crossbars(arrays, mapping);
  const Tensor x = xbar_test::random_tensor({2, 2, 6, 6}, 4);
  const Tensor expected = plain.forward(x);
  const auto worst = [&] {
    const Tensor& found = arrays.forward(x);
    double result = 0;
    for (Index i = 0; i < found.size(); ++i) {
      const double error = std::abs(static_cast<double>(found[i] - expected[i]));
      result = error <= result ? result : error;
    }
    return result;
  };
  REQUIRE(crossbar_layers(arrays).size() == 6);
  CHECK(worst() <= 1e-5);  // float rounding of weights as differences, six layers
  for (const CrossbarLayer& layer : crossbar_layers(arrays)) {
    std::vector<Index> reversed = layer.matrix->column_order();
    std::reverse(reversed.begin(), reversed.end());
    layer.matrix->set_column_order(reversed);
  }
  CHECK(worst() <= 1e-5);
}

TEST_CASE("onnx/import: steps of training lower the loss, digital and on arrays") {
  for (const bool on_arrays : {false, true}) {
    Network network = residual_network();
    if (on_arrays) {
      CrossbarMapping mapping;
      mapping.technology.tile_rows = mapping.technology.tile_columns = 16;
      mapping.scale = WeightScale::headroom;
      map_to_crossbars(network, mapping);
    }
    const Tensor x = xbar_test::random_tensor({6, 2, 6, 6}, 4);
    const std::vector<std::uint8_t> labels{0, 1, 2, 0, 1, 2};
    SoftmaxCrossEntropy loss;
    Sgd optimizer(network.parameters(), SgdOptions{});
    network.set_training(true);
    double first = 0;
    double last = 0;
    for (int step = 0; step < 40; ++step) {
      last = static_cast<double>(loss.forward(network.forward(x), labels));
      if (step == 0) first = last;
      network.backward(loss.backward());
      optimizer.step(0.1);
    }
    CAPTURE(on_arrays, first, last);
    CHECK(last < 0.7 * first);
  }
}

TEST_CASE("onnx/import: limits of layers, weights and values hold") {
  const std::string bytes = residual_model().bytes();
  const auto import = [&](const ModelLimits& limits) {
    return xbar::onnx::import_network(bytes, "net.onnx", {2, 6, 6}, 3, limits);
  };
  using Catch::Matchers::Contains;
  // Weights: 72 + 2 144 + 216 + 24 + 18 + 3; values: 4 x 6 x 6.
  CHECK_NOTHROW(import({.layers = 13, .weights = 621, .values = 144}));
  CHECK_THROWS_WITH(import({.layers = 12}), Contains("expected at most 12 layers"));
  CHECK_THROWS_WITH(import({.weights = 620}), Contains("expected at most 620 weights"));
  CHECK_THROWS_WITH(import({.values = 143}), Contains("expected at most 143 values an image"));
}
