#include <xbar/core/error.hpp>
#include <xbar/nn/layers/global_avg_pool.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::GlobalAvgPool;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/global_avg_pool: gradients agree with finite differences") {
  GlobalAvgPool layer("pool");
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 3, 5, 4}, 1));
}

TEST_CASE("nn/global_avg_pool: the mean of each image") {
  GlobalAvgPool layer("pool");
  Tensor x({2, 1, 2, 3});
  for (Index i = 0; i < 12; ++i) x[i] = static_cast<float>(i);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{2, 1, 1, 1});
  CHECK(y[0] == 2.5F);  // 15 / 6
  CHECK(y[1] == 8.5F);  // 51 / 6
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 6})), Contains("(2, 6)"));
}
