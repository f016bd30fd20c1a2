#include <cmath>
#include <limits>

#include <xbar/nn/layers/relu.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::nn::Relu;
using xbar::nn::Tensor;

TEST_CASE("nn/relu: gradients agree with finite differences") {
  Relu layer("relu");
  Tensor x = xbar_test::random_tensor({3, 2, 4, 5}, 1);
  for (Index i = 0; i < x.size(); ++i) x[i] += std::copysign(0.05F, x[i]);  // off the kink
  xbar_test::check_gradients(layer, x);
}

TEST_CASE("nn/relu: negative values and zeros give no output and no gradient, a NaN passes") {
  Relu layer("relu");
  Tensor x({1, 4});
  x[0] = -2, x[1] = 0, x[2] = 3, x[3] = std::numeric_limits<float>::quiet_NaN();
  const Tensor& y = layer.forward(x);
  CHECK(y[0] == 0);
  CHECK(y[1] == 0);
  CHECK(y[2] == 3);
  CHECK(std::isnan(y[3]));
  Tensor dy({1, 4});
  dy.fill(7);
  const Tensor& dx = layer.backward(dy);
  CHECK(dx[0] == 0);
  CHECK(dx[1] == 0);
  CHECK(dx[2] == 7);
}

TEST_CASE("nn/relu: arrays that are shared among the cores give the same") {
  // 100,003 values: several chunks and a last one of odd length.
  Relu layer("relu");
  const Tensor x = xbar_test::random_tensor({1, 100003}, 2);
  const Tensor dy = xbar_test::random_tensor({1, 100003}, 3);
  const Tensor& y = layer.forward(x);
  const Tensor& dx = layer.backward(dy);
  Index wrong = 0;
  for (Index i = 0; i < x.size(); ++i) {
    wrong += y[i] == (x[i] > 0 ? x[i] : 0) && dx[i] == (x[i] > 0 ? dy[i] : 0) ? 0 : 1;
  }
  CHECK(wrong == 0);
}
