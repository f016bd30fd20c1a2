#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::nn::SoftmaxCrossEntropy;
using xbar::nn::Tensor;
using xbar_test::WithinAbs;
using Labels = std::vector<std::uint8_t>;

TEST_CASE("nn/softmax_cross_entropy: equal logits cost log(classes), a sure answer nothing") {
  SoftmaxCrossEntropy loss;
  CHECK_THAT(loss.forward(Tensor({3, 10}), Labels{0, 5, 9}), WithinAbs(std::log(10.0), 1e-12));
  Tensor sure({1, 3});
  sure[1] = 1000;  // exp would overflow without the shift
  CHECK_THAT(loss.forward(sure, Labels{1}), WithinAbs(0, 1e-12));
  CHECK_THAT(loss.forward(sure, Labels{0}), WithinAbs(1000, 1e-9));
}

TEST_CASE("nn/softmax_cross_entropy: the gradient agrees with finite differences") {
  SoftmaxCrossEntropy loss;
  Tensor z = xbar_test::random_tensor({5, 4}, 1, -2, 2);
  const Labels labels{3, 0, 1, 2, 2};
  loss.forward(z, labels);
  const Tensor gradient = loss.backward();
  const float step = 0.01F;  // truncation step^2 / 6 < 2e-5
  for (Index i = 0; i < z.size(); ++i) {
    const float here = z[i];
    z[i] = here + step;
    const double above = loss.forward(z, labels);
    z[i] = here - step;
    const double below = loss.forward(z, labels);
    z[i] = here;
    CHECK_THAT(static_cast<double>(gradient[i]),
               WithinAbs((above - below) / (2 * static_cast<double>(step)), 5e-5));
  }
}

TEST_CASE("nn/softmax_cross_entropy: correct means the first largest logit is the label's") {
  SoftmaxCrossEntropy loss;
  Tensor z({4, 3});
  z[2] = 1;            // row 0: class 2
  z[3] = 1, z[4] = 1;  // row 1: classes 0 and 1 tie
  z[6] = 1, z[7] = 1;  // row 2: likewise
  z[9] = 1;            // row 3: class 0, but there is a NaN
  z[11] = std::numeric_limits<float>::quiet_NaN();
  loss.forward(z, Labels{2, 0, 1, 0});
  const Labels found(loss.correct().begin(), loss.correct().end());
  CHECK(found == Labels{1, 1, 0, 0});
  CHECK(loss.correct_count() == 2);
}

TEST_CASE("nn/softmax_cross_entropy: a NaN or infinite logit shows in the loss") {
  SoftmaxCrossEntropy loss;
  const float bad =
      GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity());
  for (Index place = 0; place < 3; ++place) {
    Tensor z({1, 3});
    z[place] = bad;
    CHECK_FALSE(std::isfinite(loss.forward(z, Labels{0})));
  }
}

TEST_CASE("nn/softmax_cross_entropy: wrong labels and shapes are named") {
  SoftmaxCrossEntropy loss;
  CHECK_THROWS_AS(loss.backward(), xbar::InvalidArgument);
  CHECK_THROWS_WITH(loss.forward(Tensor({2, 3}), Labels{0, 3}), Contains("3"));
  CHECK_THROWS_WITH(loss.forward(Tensor({2, 3}), Labels{0}), Contains("2 labels"));
  CHECK_THROWS_AS(loss.forward(Tensor({0, 3}), Labels{}), xbar::InvalidArgument);
  CHECK_THROWS_AS(loss.forward(Tensor({1, 3, 1, 1}), Labels{0}), xbar::InvalidArgument);
}
