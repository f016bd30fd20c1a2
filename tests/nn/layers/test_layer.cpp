#include <memory>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "nn/support/gradients.hpp"
#include "nn/support/split_weight.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::InvalidArgument;
using xbar::MatrixF;
using xbar::nn::DigitalWeight;
using xbar::nn::Linear;
using xbar::nn::Relu;
using xbar::nn::Tensor;

TEST_CASE("nn/layer: backward and last_input need a forward pass before") {
  Relu relu("relu1");
  CHECK_THROWS_AS(relu.backward(Tensor({1, 2})), InvalidArgument);
  CHECK_THROWS_AS(relu.backward_parameters(Tensor({1, 2})), InvalidArgument);
  CHECK_THROWS_AS(relu.last_input(), InvalidArgument);
}

TEST_CASE("nn/layer: last_input is the x of the latest forward") {
  Linear layer("fc1", 3, 2);
  const Tensor x = xbar_test::random_tensor({4, 3}, 1);
  layer.forward(x);
  CHECK(&layer.last_input() == &x);
}

TEST_CASE("nn/layer: an empty batch and a gradient of another shape are refused") {
  Linear layer("fc1", 3, 2);
  CHECK_THROWS_WITH(layer.forward(Tensor({0, 3})), Contains("fc1") && Contains("(0, 3)"));
  const Tensor x({4, 3});
  layer.forward(x);
  CHECK_THROWS_WITH(layer.backward(Tensor({4, 3})),
                    Contains("fc1") && Contains("(4, 2)") && Contains("(4, 3)"));
}

TEST_CASE("nn/layer: results stay in the same memory from batch to batch") {
  Linear layer("fc1", 3, 2);
  const Tensor x = xbar_test::random_tensor({8, 3}, 1);
  const Tensor few = xbar_test::random_tensor({5, 3}, 2);
  const float* y = layer.forward(x).data();
  const float* dx = layer.backward(Tensor({8, 2})).data();
  layer.forward(few);
  layer.backward(Tensor({5, 2}));
  CHECK(layer.forward(x).data() == y);
  CHECK(layer.backward(Tensor({8, 2})).data() == dx);
}

TEST_CASE("nn/layer: a weight store can be replaced by one of the same size only") {
  Linear layer("fc1", 3, 2);
  xbar::nn::Parameter* weight = layer.parameters()[0];
  auto former =
      layer.replace_weight_store(std::make_unique<DigitalWeight>(MatrixF::Constant(2, 3, 5.0F)));
  CHECK(former->weight() == MatrixF::Zero(2, 3));
  CHECK(layer.weight_store().weight() == MatrixF::Constant(2, 3, 5.0F));
  CHECK(weight->store.get() == &layer.weight_store());

  CHECK_THROWS_AS(layer.replace_weight_store(nullptr), InvalidArgument);
  CHECK_THROWS_WITH(
      layer.replace_weight_store(std::make_unique<DigitalWeight>(MatrixF::Zero(3, 2))),
      Contains("fc1.weight") && Contains("2 x 3") && Contains("3 x 2"));
  CHECK_THROWS_AS(layer.replace_weight_store(std::make_unique<xbar_test::SplitWeight>(
                      MatrixF::Zero(2, 3), MatrixF::Zero(2, 3), MatrixF::Zero(3, 2))),
                  InvalidArgument);
  CHECK(layer.weight_store().weight() == MatrixF::Constant(2, 3, 5.0F));
}

TEST_CASE("nn/layer: parameters carry PyTorch's names and shapes") {
  Linear layer("fc1", 3, 2);
  REQUIRE(layer.parameters().size() == 2);
  CHECK(layer.parameters()[0]->name == "fc1.weight");
  CHECK(layer.parameters()[0]->shape == xbar::nn::Shape{2, 3});
  CHECK(layer.parameters()[1]->name == "fc1.bias");
  CHECK(layer.parameters()[1]->shape == xbar::nn::Shape{2});
  Linear bare("fc2", 3, 2, false);
  CHECK(bare.parameters().size() == 1);
}
