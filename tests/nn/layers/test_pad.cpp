#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/pad.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::Margins;
using xbar::nn::Pad;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/pad: gradients agree with finite differences") {
  Pad layer("pad", {{1, 0, 2}, {0, 3, 1}}, 0.5F);
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 2, 3, 2}, 1));
}

TEST_CASE("nn/pad: the image in a margin") {
  Pad layer("pad", {{0, 1, 0}, {1, 0, 2}}, -7);
  Tensor x({2, 1, 1, 2});
  for (Index i = 0; i < 4; ++i) x[i] = static_cast<float>(i + 1);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{2, 2, 2, 4});
  for (Index i = 0; i < y.size(); ++i) {
    // Row 1 of channel 0 of each image begins with its two pixels.
    const Index place = i % 16;
    const bool pixel = place == 4 || place == 5;
    CHECK(y[i] == (pixel ? static_cast<float>(i / 16 * 2 + place - 3) : -7.0F));
  }
  CHECK_THROWS_WITH(Pad("pad", {{0, 0, 0}, {0, -1, 0}}, 0), Contains("margins >= 0, found -1"));
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 6})), Contains("(2, 6)"));
}
