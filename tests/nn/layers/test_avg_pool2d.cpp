#include <tuple>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/avg_pool2d.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::AvgPool2d;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/avg_pool2d: gradients agree with finite differences") {
  // Without overlap, with leftovers at both ends, overlapping, and with gaps.
  const auto [kernel, stride] = GENERATE(table<Index, Index>({{2, 2}, {3, 3}, {3, 1}, {2, 3}}));
  AvgPool2d layer("pool", kernel, stride);
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 3, 7, 5}, 1));
}

TEST_CASE("nn/avg_pool2d: the mean of each window, odd rows and columns left out") {
  AvgPool2d layer("pool", 2);
  Tensor x({1, 1, 3, 5});
  for (Index i = 0; i < 15; ++i) x[i] = static_cast<float>(i);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{1, 1, 1, 2});
  CHECK(y[0] == 3);  // (0 + 1 + 5 + 6) / 4
  CHECK(y[1] == 5);  // (2 + 3 + 7 + 8) / 4
}

TEST_CASE("nn/avg_pool2d: wrong options and inputs are named") {
  CHECK_THROWS_WITH(AvgPool2d("pool3", 0), Contains("pool3") && Contains("kernel"));
  CHECK_THROWS_WITH(AvgPool2d("pool", 2, -1), Contains("stride"));
  AvgPool2d layer("pool", 3);
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 1, 2, 5})), Contains("(1, 1, 2, 5)"));
}
