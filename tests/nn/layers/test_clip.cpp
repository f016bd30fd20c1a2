#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/clip.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::Clip;
using xbar::nn::Tensor;

TEST_CASE("nn/clip: values and gradients inside, at and beyond the bounds") {
  Clip layer("clip", -1, 2);
  Tensor x({1, 6});
  const float values[] = {-3, -1, 0.5F, 2, 7, std::numeric_limits<float>::quiet_NaN()};
  std::copy(values, values + 6, x.data());
  const Tensor& y = layer.forward(x);
  const float expected[] = {-1, -1, 0.5F, 2, 2};
  for (Index i = 0; i < 5; ++i) CHECK(y[i] == expected[i]);
  CHECK(y[5] != y[5]);
  Tensor dy({1, 6});
  dy.fill(3);
  const Tensor& dx = layer.backward(dy);
  for (Index i = 0; i < 6; ++i) CHECK(dx[i] == (i == 2 ? 3.0F : 0.0F));
  CHECK_THROWS_WITH(Clip("clip", 2, 1),
                    Contains("clip: expected bounds low <= high, found 2 and 1"));
}
