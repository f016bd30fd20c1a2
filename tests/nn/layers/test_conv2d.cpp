#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/conv2d.hpp>

#include "nn/support/gradients.hpp"
#include "nn/support/split_weight.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using xbar::nn::Conv2d;
using xbar::nn::Conv2dOptions;
using xbar::nn::Shape;
using xbar::nn::Tensor;

namespace {

// Calls visit(index in y, index in x, row of W, column of W) for every product of the convolution.
template <typename Visit>
void for_each_product(const Conv2dOptions& o, const Shape& x, const Shape& y, const Visit& visit) {
  for (Index n = 0; n < y[0]; ++n) {
    for (Index out = 0; out < y[1]; ++out) {
      for (Index p = 0; p < y[2]; ++p) {
        for (Index q = 0; q < y[3]; ++q) {
          for (Index c = 0; c < x[1]; ++c) {
            for (Index i = 0; i < o.kernel_height; ++i) {
              for (Index j = 0; j < o.kernel_width; ++j) {
                const Index row = p * o.stride + i - o.padding;
                const Index column = q * o.stride + j - o.padding;
                if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
                visit(((n * y[1] + out) * y[2] + p) * y[3] + q,
                      ((n * x[1] + c) * x[2] + row) * x[3] + column, out,
                      (c * o.kernel_height + i) * o.kernel_width + j);
              }
            }
          }
        }
      }
    }
  }
}

double largest_error(const float* found, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected[i]);
    worst = error <= worst ? worst : error;
  }
  return worst;
}

struct Case {
  Conv2dOptions options;
  Shape input;
};

std::vector<Case> odd_cases() {
  const auto options = [](Index c, Index o, Index kh, Index kw, Index stride, Index padding) {
    return Conv2dOptions{.in_channels = c,
                         .out_channels = o,
                         .kernel_height = kh,
                         .kernel_width = kw,
                         .stride = stride,
                         .padding = padding};
  };
  return {
      {options(1, 6, 5, 5, 1, 2), {3, 1, 28, 28}},   // LeNet-5, first
      {options(6, 16, 5, 5, 1, 0), {3, 6, 14, 14}},  // LeNet-5, second
      {options(1, 1, 1, 1, 1, 0), {1, 1, 1, 1}},    {options(3, 5, 2, 3, 1, 1), {2, 3, 7, 4}},
      {options(2, 3, 3, 1, 2, 1), {2, 2, 9, 6}},     // the stride leaves pixels over
      {options(4, 2, 3, 3, 3, 0), {1, 4, 11, 10}},   // likewise
      {options(2, 7, 4, 4, 1, 3), {2, 2, 1, 2}},     // more padding than image
      {options(17, 33, 3, 3, 1, 1), {2, 17, 5, 5}},  // no multiple of any vector length
      {options(16, 16, 3, 3, 2, 1), {2, 16, 8, 8}},
  };
}

// Compares forward and backward with seven nested loops; errors are at most `tolerance`, or that
// share of the largest value if it is above 1.
void check_products(const Case& test, double tolerance) {
  const Conv2dOptions& o = test.options;
  INFO("input " << to_string(test.input) << ", out " << o.out_channels << ", kernel "
                << o.kernel_height << " x " << o.kernel_width << ", stride " << o.stride
                << ", padding " << o.padding);
  Conv2d layer("conv", o);
  const Index rows = layer.out_features();
  const Index columns = layer.in_features();
  const MatrixF forward = xbar_test::random_matrix(rows, columns, 2);
  const MatrixF backward = xbar_test::random_matrix(rows, columns, 3);
  const MatrixF bias = xbar_test::random_matrix(rows, 1, 4);
  layer.replace_weight_store(
      std::make_unique<xbar_test::SplitWeight>(MatrixF::Zero(rows, columns), forward, backward));
  layer.bias().store->set_weight(bias);
  const Tensor x = xbar_test::random_tensor(test.input, 5);
  const Tensor& y = layer.forward(x);
  const Shape shape = y.shape();
  const Tensor dy = xbar_test::random_tensor(shape, 6);

  std::vector<double> y_expected(static_cast<std::size_t>(y.size()));
  std::vector<double> dx_expected(static_cast<std::size_t>(x.size()));
  std::vector<double> dw_expected(static_cast<std::size_t>(rows * columns));
  std::vector<double> db_expected(static_cast<std::size_t>(rows));
  const Index positions = shape[2] * shape[3];
  for (Index i = 0; i < y.size(); ++i) {
    const Index channel = i / positions % rows;
    y_expected[static_cast<std::size_t>(i)] = static_cast<double>(bias(channel, 0));
    db_expected[static_cast<std::size_t>(channel)] += static_cast<double>(dy[i]);
  }
  for_each_product(o, test.input, shape, [&](Index iy, Index ix, Index row, Index column) {
    const auto xv = static_cast<double>(x[ix]);
    const auto dyv = static_cast<double>(dy[iy]);
    y_expected[static_cast<std::size_t>(iy)] += static_cast<double>(forward(row, column)) * xv;
    dx_expected[static_cast<std::size_t>(ix)] += static_cast<double>(backward(row, column)) * dyv;
    dw_expected[static_cast<std::size_t>(row * columns + column)] += dyv * xv;
  });
  const auto check = [&](const float* found, const std::vector<double>& expected) {
    double largest = 1;
    for (const double value : expected) largest = std::max(largest, std::abs(value));
    CHECK(largest_error(found, expected) <= tolerance * largest);
  };
  check(y.data(), y_expected);
  const Tensor& dx = layer.backward(dy);
  check(dx.data(), dx_expected);
  check(layer.weight().gradient.data(), dw_expected);
  check(layer.bias().gradient.data(), db_expected);
  layer.weight().gradient.setZero();
  layer.backward_parameters(dy);
  check(layer.weight().gradient.data(), dw_expected);
}

}  // namespace

TEST_CASE("nn/conv2d: forward and backward agree with seven nested loops") {
  // Sums of up to 3 * 784 products below 1, of rounding 6e-8 each: 1e-5 of the largest is far, an
  // index error farther.
  for (const Case& test : odd_cases()) check_products(test, 1e-5);
}

TEST_CASE("nn/conv2d: groups of images, blocks of channels and Winograd's tiles agree with loops") {
  const auto options = [](Index in, Index out) {
    return Conv2dOptions{.in_channels = in,
                         .out_channels = out,
                         .kernel_height = 3,
                         .kernel_width = 3,
                         .padding = 1};
  };
  const Case cases[] = {
      {options(32, 40), {70, 32, 8, 8}},    // groups of images, the last of them too few for tiles
      {options(32, 256), {66, 32, 4, 4}},   // blocks of output channels
      {options(256, 32), {66, 256, 4, 4}},  // blocks of input channels
      {options(256, 256), {3, 256, 2, 2}},  // both, no tiles
  };
  // Winograd's transforms are off by up to 4e-6 of the largest value, the direct sums by 3e-7.
  for (const Case& test : cases) check_products(test, 1e-5);
}

TEST_CASE("nn/conv2d: results do not depend on the number of threads") {
  const Tensor x = xbar_test::random_tensor({70, 32, 8, 8}, 5);
  const Tensor dy = xbar_test::random_tensor({70, 64, 8, 8}, 6);
  const auto run = [&](int threads) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    Conv2d layer("conv", {.in_channels = 32,
                          .out_channels = 64,
                          .kernel_height = 3,
                          .kernel_width = 3,
                          .padding = 1});
    xbar_test::randomise(layer, 3);
    std::vector<float> values;
    const Tensor& y = layer.forward(x);
    values.insert(values.end(), y.data(), y.data() + y.size());
    const Tensor& dx = layer.backward(dy);
    values.insert(values.end(), dx.data(), dx.data() + dx.size());
    const MatrixF& dw = layer.weight().gradient;
    values.insert(values.end(), dw.data(), dw.data() + dw.size());
    const MatrixF& db = layer.bias().gradient;
    values.insert(values.end(), db.data(), db.data() + db.size());
    omp_set_num_threads(before);
    return values;
  };
  const std::vector<float> one = run(1);
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("nn/conv2d: gradients agree with finite differences") {
  const bool with_bias = GENERATE(true, false);
  Conv2d layer("conv", {.in_channels = 2,
                        .out_channels = 3,
                        .kernel_height = 3,
                        .kernel_width = 2,
                        .stride = 2,
                        .padding = 1,
                        .with_bias = with_bias});
  xbar_test::randomise(layer, 3);
  xbar_test::check_gradients(layer, xbar_test::random_tensor({2, 2, 5, 6}, 4));
}

TEST_CASE("nn/conv2d: the columns of W are channel, kernel row, kernel column, as in PyTorch") {
  Conv2d layer("conv", {.in_channels = 2,
                        .out_channels = 1,
                        .kernel_height = 2,
                        .kernel_width = 3,
                        .with_bias = false});
  CHECK(layer.weight().shape == Shape{1, 2, 2, 3});
  Tensor x({1, 2, 2, 3});
  for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i + 1);
  for (Index k = 0; k < 12; ++k) {
    MatrixF weight = MatrixF::Zero(1, 12);
    weight(0, k) = 1;
    layer.weight_store().set_weight(weight);
    CHECK(layer.forward(x)[0] == x[k]);
  }
}

TEST_CASE("nn/conv2d: changing batch sizes do not disturb each other") {
  Conv2d layer("conv",
               {.in_channels = 1, .out_channels = 2, .kernel_height = 3, .kernel_width = 3});
  xbar_test::randomise(layer, 3);
  const Tensor all = xbar_test::random_tensor({20, 1, 6, 6}, 4);
  const Tensor whole = layer.forward(all);
  // More sizes than plans are kept, each used twice.
  for (int round = 0; round < 2; ++round) {
    for (Index count = 1; count <= 20; ++count) {
      Tensor x({count, 1, 6, 6});
      std::copy(all.data(), all.data() + x.size(), x.data());
      const Tensor& y = layer.forward(x);
      double worst = 0;
      for (Index i = 0; i < y.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(y[i] - whole[i])));
      }
      CHECK(worst <= 1e-6);
    }
  }
}

TEST_CASE("nn/conv2d: wrong options and inputs are named") {
  CHECK_THROWS_WITH(Conv2d("c", {.stride = 0}), Contains("stride"));
  CHECK_THROWS_WITH(Conv2d("c", {.padding = -1}), Contains("padding"));
  CHECK_THROWS_WITH(Conv2d("c", {.kernel_height = 0}), Contains("kernel_height"));
  CHECK_THROWS_WITH(Conv2d("c", {.kernel_width = 0}), Contains("kernel_width"));
  CHECK_THROWS_WITH(Conv2d("c", {.in_channels = 0}), Contains("in_channels"));
  CHECK_THROWS_WITH(Conv2d("c", {.out_channels = 0}), Contains("out_channels"));
  Conv2d layer("conv9", {.in_channels = 2, .kernel_height = 5, .kernel_width = 3, .padding = 1});
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 3, 8, 8})),
                    Contains("conv9") && Contains("(N, 2, H, W)") && Contains("(1, 3, 8, 8)"));
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 2, 2, 8})), Contains("H >= 3") && Contains("W >= 1"));
  CHECK_THROWS_AS(layer.forward(Tensor({2, 8})), xbar::InvalidArgument);
}
