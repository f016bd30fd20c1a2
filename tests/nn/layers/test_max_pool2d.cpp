#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::MaxPool2d;
using xbar::nn::Shape;
using xbar::nn::Tensor;

namespace {

// Values in random order, 0.1 apart: no window has a near tie.
Tensor distinct_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor x(shape);
  for (Index i = 0; i < x.size(); ++i) x[i] = 0.1F * static_cast<float>(i);
  const xbar::RandomStream stream(seed, "order");
  for (Index i = x.size() - 1; i > 0; --i) {
    const auto place = static_cast<std::uint64_t>(i);
    std::swap(x[i], x[static_cast<Index>(stream.below(place, place + 1))]);
  }
  return x;
}

}  // namespace

TEST_CASE("nn/max_pool2d: gradients agree with finite differences") {
  // Without overlap, with leftovers at both ends, overlapping, and with gaps.
  const auto [kernel, stride] = GENERATE(table<Index, Index>({{2, 2}, {3, 3}, {3, 1}, {2, 3}}));
  MaxPool2d layer("pool", kernel, stride);
  // Values reach 21: float rounding of 1e-6 a value, hence the wider tolerance.
  xbar_test::check_gradients(layer, distinct_tensor({2, 3, 7, 5}, 1), 0.02, 5e-3);
}

TEST_CASE("nn/max_pool2d: agrees with a loop over the windows, odd rows and columns left out") {
  const auto [kernel, stride] = GENERATE(table<Index, Index>({{2, 2}, {3, 2}}));
  MaxPool2d layer("pool", kernel, stride);
  const Tensor x = xbar_test::random_tensor({2, 3, 9, 7}, 1);
  const Tensor& y = layer.forward(x);
  REQUIRE(y.shape() == Shape{2, 3, (9 - kernel) / stride + 1, (7 - kernel) / stride + 1});
  Index k = 0;
  for (Index plane = 0; plane < 6; ++plane) {
    for (Index p = 0; p < y.shape()[2]; ++p) {
      for (Index q = 0; q < y.shape()[3]; ++q) {
        float best = -1e30F;
        for (Index i = 0; i < kernel; ++i) {
          for (Index j = 0; j < kernel; ++j) {
            best = std::max(best, x[plane * 63 + (p * stride + i) * 7 + q * stride + j]);
          }
        }
        CHECK(y[k++] == best);
      }
    }
  }
}

TEST_CASE("nn/max_pool2d: of equal values the first in row order gets the whole gradient") {
  const Index stride = GENERATE(2, 1);  // the quick path and the general one
  MaxPool2d layer("pool", 2, stride);
  Tensor x({1, 4, 2, 2});
  const float values[] = {5, 5,  5,  5,   // all equal: place 0
                          1, 5,  5,  2,   // right above against left below: place 1
                          1, 2,  5,  5,   // below: place 2
                          0, -1, -1, 0};  // corners: place 0
  std::copy(std::begin(values), std::end(values), x.data());
  layer.forward(x);
  Tensor dy({1, 4, 1, 1});
  for (Index i = 0; i < 4; ++i) dy[i] = static_cast<float>(i + 1);
  const Tensor& dx = layer.backward(dy);
  const float expected[] = {1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0};
  for (Index i = 0; i < 16; ++i) CHECK(dx[i] == expected[i]);
}

TEST_CASE("nn/max_pool2d: a NaN anywhere in the window is the result") {
  const Index stride = GENERATE(2, 1);
  MaxPool2d layer("pool", 2, stride);
  for (Index place = 0; place < 4; ++place) {
    Tensor x({1, 1, 2, 2});
    x.fill(3);
    x[place] = std::numeric_limits<float>::quiet_NaN();
    CHECK(std::isnan(layer.forward(x)[0]));
  }
}

TEST_CASE("nn/max_pool2d: wrong options and inputs are named") {
  CHECK_THROWS_WITH(MaxPool2d("pool3", 0), Contains("pool3") && Contains("kernel"));
  CHECK_THROWS_AS(MaxPool2d("pool", 257), xbar::InvalidArgument);
  CHECK_THROWS_WITH(MaxPool2d("pool", 2, -1), Contains("stride"));
  MaxPool2d layer("pool", 3);
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 1, 2, 5})), Contains("(1, 1, 2, 5)"));
  CHECK_THROWS_AS(layer.forward(Tensor({1, 9})), xbar::InvalidArgument);
}
