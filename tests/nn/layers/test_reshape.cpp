#include <xbar/core/error.hpp>
#include <xbar/nn/layers/reshape.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::nn::Reshape;
using xbar::nn::Shape;

TEST_CASE("nn/reshape: the values stay, under another shape") {
  Reshape layer("reshape", {2, 1, 3});
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 6}, 1));
  CHECK(layer.output_shape({5, 3, 2}) == Shape{5, 2, 1, 3});
  CHECK_THROWS_WITH(layer.output_shape({5, 7}), Contains("6 values") && Contains("(5, 7)"));
}
