#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/nn/adam.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using xbar::MatrixF;
using xbar_test::WithinAbs;
using namespace xbar::nn;

namespace {

Parameter make_parameter(const std::string& name, float value) {
  return {name, Shape{1, 1}, std::make_unique<DigitalWeight>(MatrixF::Constant(1, 1, value)),
          MatrixF::Zero(1, 1)};
}

double value(const Parameter& p) { return static_cast<double>(p.store->weight()(0, 0)); }

void step(Adam& adam, Parameter& p, float gradient, double learning_rate) {
  p.gradient(0, 0) = gradient;
  adam.step(learning_rate);
}

}  // namespace

TEST_CASE("nn/adam: the steps are those computed by hand") {
  SECTION("no decay") {
    // t = 1, g = 1: m = 0.1, v = 0.001; corrected both 1; w = 1 - 0.1
    // t = 2, g = -1: m = 0.09 - 0.1 = -0.01, corrected / 0.19; v = 0.001999, corrected 1;
    //                w = 0.9 + 0.1 * 0.01 / 0.19 = 0.90526316
    Parameter p = make_parameter("fc1.weight", 1);
    Adam adam({&p}, {});
    step(adam, p, 1, 0.1);
    CHECK_THAT(value(p), WithinAbs(0.9, 1e-6));
    step(adam, p, -1, 0.1);
    CHECK_THAT(value(p), WithinAbs(0.90526316, 1e-6));
  }
  SECTION("the first step has the length of the learning rate, whatever the gradient's") {
    for (const float gradient : {1e-3F, 7.0F, -1e4F}) {
      Parameter p = make_parameter("fc1.weight", 0);
      Adam adam({&p}, {});
      step(adam, p, gradient, 0.25);
      // epsilon is 1e-5 of the smallest gradient
      CHECK_THAT(value(p), WithinAbs(gradient > 0 ? -0.25 : 0.25, 0.25 * 1.1e-5));
    }
  }
  SECTION("decay in the gradient is scaled away with it, apart from it it is not") {
    // g = 1, w = 2, lambda = 0.5. Adam: the gradient is 2, the step 0.1. AdamW: 0.1 + 0.1 0.5 2.
    Parameter p = make_parameter("fc1.weight", 2);
    Adam adam({&p}, {.weight_decay = 0.5});
    step(adam, p, 1, 0.1);
    CHECK_THAT(value(p), WithinAbs(1.9, 1e-6));
    Parameter q = make_parameter("fc1.weight", 2);
    Adam adamw({&q}, {.weight_decay = 0.5, .decoupled_decay = true});
    step(adamw, q, 1, 0.1);
    CHECK_THAT(value(q), WithinAbs(1.8, 1e-6));
    // Without a gradient, Adam's step would be 0.1 once more; AdamW's is the decay alone.
    Parameter r = make_parameter("fc1.weight", 2);
    Adam decay({&r}, {.weight_decay = 0.5, .decoupled_decay = true});
    step(decay, r, 0, 0.1);
    CHECK_THAT(value(r), WithinAbs(1.9, 1e-6));
  }
}

TEST_CASE("nn/adam: 200 steps of many weights follow the formula in double") {
  const bool decoupled = GENERATE(false, true);
  CAPTURE(decoupled);
  const Index rows = 130;
  const Index columns = 140;  // more than a chunk of 16384
  const AdamOptions options{.beta1 = 0.8,
                            .beta2 = 0.99,
                            .epsilon = 1e-3,
                            .weight_decay = 0.05,
                            .decoupled_decay = decoupled};
  const xbar::RandomStream random(5, "adam");
  const auto count = static_cast<std::size_t>(rows * columns);
  Parameter p{"fc1.weight", Shape{rows, columns},
              std::make_unique<DigitalWeight>(MatrixF::Constant(rows, columns, 0.5F)),
              MatrixF::Zero(rows, columns)};
  Adam adam({&p}, options);
  std::vector<double> w(count, 0.5);
  std::vector<double> m(count, 0.0);
  std::vector<double> v(count, 0.0);
  const double rate = 0.01;
  for (int t = 1; t <= 200; ++t) {
    const xbar::RandomStream draws = random.substream(static_cast<std::uint64_t>(t));
    for (std::size_t i = 0; i < count; ++i) {
      const auto drawn = static_cast<float>(draws.normal(i));
      p.gradient.data()[i] = drawn;
      double g = static_cast<double>(drawn);
      if (!decoupled) g += options.weight_decay * w[i];
      m[i] = options.beta1 * m[i] + (1 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1 - options.beta2) * g * g;
      const double mean = m[i] / (1 - std::pow(options.beta1, t));
      const double square = v[i] / (1 - std::pow(options.beta2, t));
      if (decoupled) w[i] -= rate * options.weight_decay * w[i];
      w[i] -= rate * mean / (std::sqrt(square) + options.epsilon);
    }
    adam.step(rate);
  }
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(p.store->weight().data()[i]) - w[i]));
  }
  // 200 roundings of weights around 0.5 to 3e-8 each, and of steps of 0.01 to 1e-6 of themselves.
  CHECK(largest <= 200 * (3e-8 + 1e-8));
  CHECK(largest > 0);
}

TEST_CASE("nn/adam: a loaded state continues where the saved one stopped") {
  Parameter p = make_parameter("fc1.weight", 1);
  Parameter q = make_parameter("fc1.weight", 1);
  Adam first({&p}, {});
  step(first, p, 1, 0.1);
  step(first, p, -0.3F, 0.1);
  Adam second({&q}, {});
  q.store->set_weight(p.store->weight());
  second.load_state(first.state());
  step(first, p, 0.2F, 0.1);
  step(second, q, 0.2F, 0.1);
  CHECK(value(q) == value(p));

  // Counts of steps beyond 2^24, which one float cannot hold, come back: t = 2^24 + 3.
  auto state = first.state();
  state["steps"].values = {3, 1};
  second.load_state(state);
  CHECK(second.state().at("steps").values == std::vector<float>{3, 1});
  step(second, q, 0, 0.1);
  CHECK(second.state().at("steps").values == std::vector<float>{4, 1});

  state["steps"].values = {0.5F, 0};
  CHECK_THROWS_WITH(second.load_state(state), Contains("steps") && Contains("0.5"));
  state = first.state();
  state.erase("square/fc1.weight");
  CHECK_THROWS_WITH(second.load_state(state), Contains("square/fc1.weight"));
}

TEST_CASE("nn/adam: options out of range are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double bad : {-0.1, 1.0, nan}) {
    CHECK_THROWS_WITH(Adam({}, {.beta1 = bad}), Contains("beta1"));
    CHECK_THROWS_WITH(Adam({}, {.beta2 = bad}), Contains("beta2"));
  }
  for (const double bad : {0.0, -1e-8, nan}) {
    CHECK_THROWS_WITH(Adam({}, {.epsilon = bad}), Contains("epsilon"));
  }
  CHECK_THROWS_WITH(Adam({}, {.weight_decay = nan}), Contains("weight_decay"));
}
