#include <cmath>
#include <memory>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/linear.hpp>

#include "nn/support/gradients.hpp"
#include "nn/support/split_weight.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using xbar::nn::Linear;
using xbar::nn::Tensor;

TEST_CASE("nn/linear: y = W x + b on numbers that can be checked by hand") {
  Linear layer("fc", 2, 3);
  layer.weight_store().set_weight((MatrixF(3, 2) << 1, 2, 3, 4, 5, 6).finished());
  layer.bias().store->set_weight((MatrixF(3, 1) << 10, 20, 30).finished());
  Tensor x({2, 2});
  x[0] = 1, x[1] = 0, x[2] = -1, x[3] = 2;
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == xbar::nn::Shape{2, 3});
  // Row 0: first column of W + b; row 1: -first + 2 * second + b.
  const float expected[] = {11, 23, 35, 13, 25, 37};
  for (Index i = 0; i < 6; ++i) CHECK(y[i] == expected[i]);

  Tensor dy({2, 3});
  dy[0] = 1, dy[4] = 1;  // output 0 of image 0, output 1 of image 1
  const Tensor& dx = layer.backward(dy);
  const float expected_dx[] = {1, 2, 3, 4};
  for (Index i = 0; i < 4; ++i) CHECK(dx[i] == expected_dx[i]);
  CHECK(layer.weight().gradient == (MatrixF(3, 2) << 1, 0, -1, 2, 0, 0).finished());
  CHECK(layer.bias().gradient == (MatrixF(3, 1) << 1, 1, 0).finished());
}

TEST_CASE("nn/linear: gradients agree with finite differences") {
  const bool with_bias = GENERATE(true, false);
  Linear layer("fc", 7, 5, with_bias);
  xbar_test::randomise(layer, 3);
  xbar_test::check_gradients(layer, xbar_test::random_tensor({6, 7}, 4));
}

TEST_CASE("nn/linear: forward reads forward_weight, backward backward_weight, dW neither") {
  const MatrixF stored = xbar_test::random_matrix(4, 3, 1);
  const MatrixF forward = xbar_test::random_matrix(4, 3, 2);
  const MatrixF backward = xbar_test::random_matrix(4, 3, 3);
  Linear layer("fc", 3, 4, false);
  layer.replace_weight_store(std::make_unique<xbar_test::SplitWeight>(stored, forward, backward));
  const Tensor x = xbar_test::random_tensor({2, 3}, 5);
  const Tensor dy = xbar_test::random_tensor({2, 4}, 6);
  const Eigen::Map<const MatrixF> x_matrix(x.data(), 2, 3);
  const Eigen::Map<const MatrixF> dy_matrix(dy.data(), 2, 4);

  const Tensor& y = layer.forward(x);
  const MatrixF y_expected = x_matrix * forward.transpose();
  CHECK((Eigen::Map<const MatrixF>(y.data(), 2, 4) - y_expected).cwiseAbs().maxCoeff() <= 1e-6F);
  const Tensor& dx = layer.backward(dy);
  const MatrixF dx_expected = dy_matrix * backward;
  CHECK((Eigen::Map<const MatrixF>(dx.data(), 2, 3) - dx_expected).cwiseAbs().maxCoeff() <= 1e-6F);
  const MatrixF dw_expected = dy_matrix.transpose() * x_matrix;
  CHECK((layer.weight().gradient - dw_expected).cwiseAbs().maxCoeff() <= 1e-6F);
}

TEST_CASE("nn/linear: backward_parameters leaves the same parameter gradients") {
  Linear layer("fc", 7, 5);
  xbar_test::randomise(layer, 3);
  const Tensor x = xbar_test::random_tensor({6, 7}, 4);
  const Tensor dy = xbar_test::random_tensor({6, 5}, 5);
  layer.forward(x);
  layer.backward(dy);
  const MatrixF dw = layer.weight().gradient;
  const MatrixF db = layer.bias().gradient;
  layer.weight().gradient.setZero();
  layer.bias().gradient.setZero();
  layer.backward_parameters(dy);
  CHECK(layer.weight().gradient == dw);
  CHECK(layer.bias().gradient == db);
}

TEST_CASE("nn/linear: wrong inputs are named") {
  CHECK_THROWS_AS(Linear("fc", 0, 3), xbar::InvalidArgument);
  CHECK_THROWS_AS(Linear("fc", 3, -1), xbar::InvalidArgument);
  Linear layer("fc7", 3, 2);
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 4})),
                    Contains("fc7") && Contains("(N, 3)") && Contains("(2, 4)"));
  CHECK_THROWS_AS(layer.forward(Tensor({2, 1, 3})), xbar::InvalidArgument);
}
