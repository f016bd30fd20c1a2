#include <xbar/core/error.hpp>
#include <xbar/nn/layers/flatten.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using xbar::nn::Flatten;
using xbar::nn::Shape;
using xbar::nn::Tensor;

TEST_CASE("nn/flatten: keeps the values and passes gradients through") {
  Flatten layer("flatten");
  const Tensor x = xbar_test::random_tensor({3, 2, 4, 5}, 1);
  const Tensor& y = layer.forward(x);
  CHECK(y.shape() == Shape{3, 40});
  for (xbar::Index i = 0; i < x.size(); ++i) CHECK(y[i] == x[i]);
  CHECK(layer.backward(y).shape() == Shape{3, 2, 4, 5});
  xbar_test::check_gradients(layer, x);
  CHECK_THROWS_AS(layer.forward(Tensor({3})), xbar::InvalidArgument);
}
