#include <cmath>
#include <vector>

#include <omp.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/dropout.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::Dropout;
using xbar::nn::Tensor;

namespace {

Tensor ones(Index count) {
  Tensor x({1, count});
  x.fill(1);
  return x;
}

Index differences(const Tensor& a, const Tensor& b) {
  Index count = 0;
  for (Index i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

}  // namespace

TEST_CASE("nn/dropout: drops its share, scales the rest, and sends the gradient the same way") {
  const double probability = GENERATE(0.2, 0.5, 0.9);
  Dropout layer("drop", probability);
  layer.initialise(7);
  layer.set_training(true);
  const Index count = 100001;
  const Tensor x = ones(count);
  const Tensor& y = layer.forward(x);
  const auto scale = static_cast<float>(1 / (1 - probability));
  Index dropped = 0;
  Index wrong = 0;
  Index pairs = 0;
  for (Index i = 0; i < count; ++i) {
    dropped += y[i] == 0;
    wrong += y[i] != 0 && y[i] != scale;
    pairs += i > 0 && y[i] == 0 && y[i - 1] == 0;
  }
  CHECK(wrong == 0);
  // Five standard errors of a share and of the share of neighbours that are both dropped (whose
  // draws are not all independent: at most three times the variance).
  const auto n = static_cast<double>(count);
  const double p = probability;
  CHECK(std::abs(static_cast<double>(dropped) / n - p) <= 5 * std::sqrt(p * (1 - p) / n));
  CHECK(std::abs(static_cast<double>(pairs) / n - p * p) <=
        5 * std::sqrt(3 * p * p * (1 - p * p) / n));
  CHECK(differences(layer.backward(x), y) == 0);  // dx = m dy, and y = m x, x = dy = 1
}

TEST_CASE("nn/dropout: the identity in evaluation") {
  Dropout layer("drop", 0.5);
  const Tensor x = xbar_test::random_tensor({3, 4}, 1);
  const Tensor dy = xbar_test::random_tensor({3, 4}, 2);
  layer.set_training(true);
  layer.forward(x);
  layer.set_training(false);
  CHECK(differences(layer.forward(x), x) == 0);
  CHECK(differences(layer.backward(dy), dy) == 0);
  CHECK(layer.buffers()[0]->values(0, 0) == 1);  // one training pass
}

TEST_CASE("nn/dropout: masks follow the seed, the name and the pass, not the number of threads") {
  const Tensor x = ones(50001);
  const auto masks = [&](const char* name, std::uint64_t seed, int threads) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    Dropout layer(name, 0.5);
    layer.initialise(seed);
    layer.set_training(true);
    std::vector<Tensor> result;
    for (int pass = 0; pass < 2; ++pass) result.push_back(layer.forward(x));
    omp_set_num_threads(before);
    return result;
  };
  const auto first = masks("drop1", 1, 1);
  // Independent masks of one half differ in 25000 +- 112 places.
  CHECK(differences(first[0], first[1]) > 24000);
  CHECK(differences(first[0], masks("drop1", 2, 1)[0]) > 24000);
  CHECK(differences(first[0], masks("drop2", 1, 1)[0]) > 24000);
  const auto again = masks("drop1", 1, 3);
  CHECK(differences(first[0], again[0]) == 0);
  CHECK(differences(first[1], again[1]) == 0);
}

TEST_CASE("nn/dropout: a wrong probability is named") {
  CHECK_THROWS_WITH(Dropout("drop3", 1.0), Contains("drop3") && Contains("probability"));
  CHECK_THROWS_AS(Dropout("drop", -0.1), xbar::InvalidArgument);
}
