#include <cmath>
#include <vector>

#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/batch_norm.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using xbar::nn::BatchNorm;
using xbar::nn::Shape;
using xbar::nn::Tensor;

namespace {

// Sets running_mean to 0.1, 0.2, ... and running_var to 1, 2, ...
void set_running(BatchNorm& layer) {
  for (Index c = 0; c < layer.buffers()[0]->values.rows(); ++c) {
    layer.buffers()[0]->values(c, 0) = 0.1F * static_cast<float>(c + 1);
    layer.buffers()[1]->values(c, 0) = static_cast<float>(c + 1);
  }
}

}  // namespace

TEST_CASE("nn/batch_norm: gradients agree with finite differences in both modes") {
  const bool training = GENERATE(true, false);
  const Shape shape = GENERATE(Shape{3, 2, 4, 5}, Shape{7, 3});
  BatchNorm layer("bn", shape[1]);
  xbar_test::randomise(layer, 4);
  set_running(layer);
  layer.set_training(training);
  // y is not linear in x: with a step of 0.01 the third derivative, about 10 for so few values,
  // costs 10 * 0.01^2 / 6 = 2e-4; rounding 1e-7 * 40 / 0.01 = 4e-4.
  xbar_test::check_gradients(layer, xbar_test::random_tensor(shape, 1, -2, 2), 0.01, 2e-3);
}

TEST_CASE("nn/batch_norm: agrees with the formulas in double precision") {
  const Shape shape{5, 3, 9, 11};
  const Index pixels = 99;
  BatchNorm layer("bn", 3, {.epsilon = 1e-3, .momentum = 0.25});
  xbar_test::randomise(layer, 4);
  set_running(layer);
  layer.set_training(true);
  Tensor x = xbar_test::random_tensor(shape, 1);
  // An offset of 100 deviations: a variance as mean square less squared mean would lose 1e-3.
  for (Index i = 0; i < x.size(); ++i) x[i] += 50;
  const Tensor& y = layer.forward(x);
  for (Index c = 0; c < 3; ++c) {
    const auto each = [&](const auto& visit) {
      for (Index n = 0; n < 5; ++n) {
        for (Index i = 0; i < pixels; ++i) visit((n * 3 + c) * pixels + i);
      }
    };
    const double count = 5.0 * pixels;
    double mean = 0;
    each([&](Index i) { mean += static_cast<double>(x[i]) / count; });
    double variance = 0;
    each([&](Index i) { variance += std::pow(static_cast<double>(x[i]) - mean, 2) / count; });
    const double gamma = static_cast<double>(layer.parameters()[0]->store->weight()(c, 0));
    const double beta = static_cast<double>(layer.parameters()[1]->store->weight()(c, 0));
    double worst = 0;
    each([&](Index i) {
      const double expected =
          gamma * (static_cast<double>(x[i]) - mean) / std::sqrt(variance + 1e-3) + beta;
      const double error = std::abs(static_cast<double>(y[i]) - expected);
      worst = error <= worst ? worst : error;
    });
    CHECK(worst <= 2e-5);  // x, mean: rounding of 50, 4e-6 each, over a deviation of 0.58
    const double running_mean = 0.75 * 0.1 * static_cast<double>(c + 1) + 0.25 * mean;
    const double running_var =
        0.75 * static_cast<double>(c + 1) + 0.25 * variance * count / (count - 1);
    CHECK_THAT(layer.buffers()[0]->values(c, 0), xbar_test::WithinRel(running_mean, 1e-6));
    CHECK_THAT(layer.buffers()[1]->values(c, 0), xbar_test::WithinRel(running_var, 1e-6));
  }
  CHECK(layer.buffers()[2]->values(0, 0) == 1);
}

TEST_CASE("nn/batch_norm: in evaluation the running statistics count and stay as they are") {
  BatchNorm layer("bn", 2);
  layer.buffers()[0]->values << 1, 2;
  layer.buffers()[1]->values << 4, 9;
  Tensor x({1, 2});
  x[0] = 5, x[1] = 8;
  const Tensor& y = layer.forward(x);
  CHECK_THAT(y[0], xbar_test::WithinRel(2.0, 1e-5));  // (5 - 1) / sqrt(4 + 1e-5)
  CHECK_THAT(y[1], xbar_test::WithinRel(2.0, 1e-5));  // (8 - 2) / sqrt(9 + 1e-5)
  CHECK(layer.buffers()[0]->values(1, 0) == 2);
  CHECK(layer.buffers()[1]->values(1, 0) == 9);
  CHECK(layer.buffers()[2]->values(0, 0) == 0);
}

TEST_CASE("nn/batch_norm: any number of threads gives the same bits") {
  const Tensor x = xbar_test::random_tensor({9, 5, 17, 19}, 1);
  const Tensor dy = xbar_test::random_tensor({9, 5, 17, 19}, 2);
  const int before = omp_get_max_threads();
  std::vector<Tensor> y;
  std::vector<Tensor> dx;
  for (const int threads : {1, 3}) {
    omp_set_num_threads(threads);
    BatchNorm layer("bn", 5);
    layer.set_training(true);
    y.push_back(layer.forward(x));
    dx.push_back(layer.backward(dy));
  }
  omp_set_num_threads(before);
  Index different = 0;
  for (Index i = 0; i < x.size(); ++i) different += y[0][i] != y[1][i] || dx[0][i] != dx[1][i];
  CHECK(different == 0);
}

TEST_CASE("nn/batch_norm: names are PyTorch's; wrong options and inputs are named") {
  BatchNorm layer("bn1", 3);
  CHECK(layer.parameters()[0]->name == "bn1.weight");
  CHECK(layer.parameters()[1]->name == "bn1.bias");
  CHECK(layer.buffers()[0]->name == "bn1.running_mean");
  CHECK(layer.buffers()[1]->name == "bn1.running_var");
  CHECK(layer.buffers()[2]->name == "bn1.num_batches_tracked");
  CHECK_THROWS_WITH(BatchNorm("bn2", 0), Contains("bn2") && Contains("channels"));
  CHECK_THROWS_WITH(BatchNorm("bn2", 3, {.epsilon = 0}), Contains("epsilon"));
  CHECK_THROWS_WITH(BatchNorm("bn2", 3, {.momentum = 1.5}), Contains("momentum"));
  CHECK_THROWS_WITH(layer.forward(Tensor({2, 4})), Contains("(N, 3)") && Contains("(2, 4)"));
  layer.set_training(true);
  CHECK_THROWS_WITH(layer.forward(Tensor({1, 3})), Contains("two values") && Contains("(1, 3)"));
}
