#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/global_max_pool.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::GlobalMaxPool;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/global_max_pool: the maximum of each image, the gradient to the first of equals") {
  GlobalMaxPool layer("pool");
  Tensor x({2, 1, 2, 3});
  for (Index i = 0; i < 12; ++i) x[i] = static_cast<float>(i % 5) - 6;
  // -6 -5 -4 -3 -2 -6 | -5 -4 -3 -2 -6 -5
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{2, 1, 1, 1});
  CHECK(y[0] == -2.0F);
  CHECK(y[1] == -2.0F);
  x[0] = x[2] = 1;
  layer.forward(x);
  Tensor dy({2, 1, 1, 1});
  dy[0] = 3;
  dy[1] = 5;
  const Tensor& dx = layer.backward(dy);
  for (Index i = 0; i < 12; ++i) CHECK(dx[i] == (i == 0 ? 3.0F : i == 9 ? 5.0F : 0.0F));
  x[4] = std::numeric_limits<float>::quiet_NaN();
  CHECK(layer.forward(x)[0] != layer.forward(x)[0]);
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 6})), Contains("(2, 6)"));
}
