#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/batch_norm.hpp>
#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/residual.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using namespace xbar::nn;

namespace {

std::unique_ptr<Residual> linear_block(AfterSum after, bool with_shortcut) {
  Chain main;
  main.emplace<Linear>("block.fc1", 4, 6);
  main.emplace<Linear>("block.fc2", 6, 4);
  Chain shortcut;
  if (with_shortcut) shortcut.emplace<Linear>("block.shortcut", 4, 4);
  return std::make_unique<Residual>("block", std::move(main), std::move(shortcut), after);
}

}  // namespace

TEST_CASE("nn/residual: gradients agree with finite differences") {
  const AfterSum after = GENERATE(AfterSum::relu, AfterSum::nothing);
  const bool with_shortcut = GENERATE(true, false);
  const auto layer = linear_block(after, with_shortcut);
  xbar_test::randomise(*layer, 3);
  const Tensor x = xbar_test::random_tensor({3, 4}, 2);
  // The nearest sum to the ReLU's kink is further away than a step can carry it: with weights below
  // 1 an input or a weight of fc1 moves it by less than 7 steps.
  const Tensor& y = layer->forward(x);
  const double step = 0.002;
  if (after == AfterSum::relu) {
    const auto bare = linear_block(AfterSum::nothing, with_shortcut);
    xbar_test::randomise(*bare, 3);
    const Tensor& sum = bare->forward(x);
    Index passed = 0;
    for (Index i = 0; i < sum.size(); ++i) {
      REQUIRE(std::abs(sum[i]) > 7 * step);
      REQUIRE(y[i] == std::max(sum[i], 0.0F));
      passed += sum[i] > 0;
    }
    REQUIRE((passed > 0 && passed < sum.size()));
  }
  xbar_test::check_gradients(*layer, x, step, 2e-3);
}

TEST_CASE("nn/residual: a convolution block in training mode has the gradients of its formula") {
  Chain main;
  main.emplace<Conv2d>("b.conv1", Conv2dOptions{.in_channels = 2,
                                                .out_channels = 3,
                                                .kernel_height = 3,
                                                .kernel_width = 3,
                                                .stride = 2,
                                                .padding = 1,
                                                .with_bias = false});
  main.emplace<BatchNorm>("b.bn1", 3);
  Chain shortcut;
  shortcut.emplace<Conv2d>(
      "b.down",
      Conv2dOptions{.in_channels = 2, .out_channels = 3, .stride = 2, .with_bias = false});
  Residual layer("b", std::move(main), std::move(shortcut), AfterSum::nothing);
  xbar_test::randomise(layer, 3);
  layer.set_training(true);
  // As for batch norm alone: 2e-3 covers third derivative and rounding.
  xbar_test::check_gradients(layer, xbar_test::random_tensor({3, 2, 4, 4}, 1), 0.01, 3e-3);
}

TEST_CASE("nn/residual: its layers are seen from outside, and share its mode") {
  Chain main;
  main.emplace<Linear>("block.fc1", 4, 4, false);
  main.emplace<BatchNorm>("block.bn1", 4);
  Chain shortcut;
  shortcut.emplace<Linear>("block.fc2", 4, 4, false);
  Residual layer("block", std::move(main), std::move(shortcut));
  CHECK(layer.is_trainable());
  std::vector<std::string> names;
  for (const Parameter* p : layer.parameters()) names.push_back(p->name);
  CHECK(names == std::vector<std::string>{"block.fc1.weight", "block.bn1.weight", "block.bn1.bias",
                                          "block.fc2.weight"});
  CHECK(layer.buffers().size() == 3);
  REQUIRE(layer.children().size() == 3);
  layer.set_training(true);
  for (const Layer* child : layer.children()) CHECK(child->is_training());
  layer.set_training(false);
  for (const Layer* child : layer.children()) CHECK_FALSE(child->is_training());
  CHECK_FALSE(Residual("r", Chain{}).is_trainable());
}

TEST_CASE("nn/residual: paths of different shapes are refused") {
  Chain main;
  main.emplace<Linear>("block.fc1", 4, 6);
  Residual layer("block", std::move(main));
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 4})),
                    Contains("block") && Contains("(2, 6)") && Contains("(2, 4)"));
}
