#include <xbar/core/error.hpp>
#include <xbar/nn/layers/padded_shortcut.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::PaddedShortcut;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/padded_shortcut: gradients agree with finite differences") {
  PaddedShortcut layer("shortcut", 2, 5, 2);
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 2, 5, 4}, 1));
}

TEST_CASE("nn/padded_shortcut: every second pixel, between channels of zeros") {
  PaddedShortcut layer("shortcut", 1, 3, 2);
  Tensor x({1, 1, 3, 4});
  for (Index i = 0; i < 12; ++i) x[i] = static_cast<float>(i + 1);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{1, 3, 2, 2});
  const float expected[] = {0, 0, 0, 0, 1, 3, 9, 11, 0, 0, 0, 0};
  for (Index i = 0; i < 12; ++i) CHECK(y[i] == expected[i]);
}

TEST_CASE("nn/padded_shortcut: wrong options and inputs are named") {
  CHECK_THROWS_WITH(PaddedShortcut("s", 4, 2, 2), Contains("s: ") && Contains("4 and 2"));
  CHECK_THROWS_WITH(PaddedShortcut("s", 2, 4, 0), Contains("stride"));
  PaddedShortcut layer("s", 2, 4, 2);
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 3, 2, 2})), Contains("(1, 3, 2, 2)"));
}
