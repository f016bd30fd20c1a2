#include <xbar/core/error.hpp>
#include <xbar/nn/layers/slice.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::AxisRange;
using xbar::nn::Shape;
using xbar::nn::Slice;
using xbar::nn::Tensor;

TEST_CASE("nn/slice: gradients agree with finite differences") {
  Slice layer("slice", {AxisRange{1, 1, 1}, AxisRange{0, 2, 2}, AxisRange{1, 3, 2}});
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 2, 3, 5}, 1));
}

TEST_CASE("nn/slice: the values at start, start + step, ... of each axis") {
  Slice layer("slice", {AxisRange{1, 1, 1}, AxisRange{0, 2, 2}, AxisRange{1, 3, 2}});
  Tensor x({2, 2, 3, 5});
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{2, 1, 2, 2});
  // Channel 1 begins at 15; rows 0 and 2, columns 1 and 4; the second image 30 later.
  const float expected[] = {16, 19, 26, 29, 46, 49, 56, 59};
  for (Index i = 0; i < y.size(); ++i) CHECK(y[i] == expected[i]);
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 2, 3, 4})),
                    Contains("W > 4") && Contains("(2, 2, 3, 4)"));
  CHECK_THROWS_WITH(Slice("slice", {AxisRange{0, 0, 1}, {}, {}}), Contains("step >= 1"));
}
