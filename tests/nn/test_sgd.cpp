#include <cmath>
#include <limits>
#include <memory>

#include <xbar/core/error.hpp>
#include <xbar/nn/sgd.hpp>

#include "nn/support/split_weight.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::MatrixF;
using xbar_test::WithinAbs;
using namespace xbar::nn;

namespace {

Parameter make_parameter(const std::string& name, float value) {
  return {name, Shape{1, 1}, std::make_unique<DigitalWeight>(MatrixF::Constant(1, 1, value)),
          MatrixF::Zero(1, 1)};
}

double value(const Parameter& p) { return static_cast<double>(p.store->weight()(0, 0)); }

}  // namespace

TEST_CASE("nn/sgd: on w^2 / 2 the steps are those computed by hand") {
  Parameter p = make_parameter("fc1.weight", 1);
  SECTION("plain") {
    Sgd sgd({&p}, {.momentum = 0});
    p.gradient(0, 0) = 1;
    sgd.step(0.1);
    CHECK_THAT(value(p), WithinAbs(0.9, 1e-7));
    p.gradient(0, 0) = 0.9F;
    sgd.step(0.1);
    CHECK_THAT(value(p), WithinAbs(0.81, 1e-7));
  }
  SECTION("momentum 0.5") {
    // v = 1, w = 0.9; v = 0.5 + 0.9 = 1.4, w = 0.76; v = 0.7 + 0.76 = 1.46, w = 0.614
    Sgd sgd({&p}, {.momentum = 0.5});
    for (const double expected : {0.9, 0.76, 0.614}) {
      p.gradient(0, 0) = p.store->weight()(0, 0);
      sgd.step(0.1);
      CHECK_THAT(value(p), WithinAbs(expected, 1e-6));
    }
  }
  SECTION("weight decay 0.1, momentum 0.5") {
    // v = 1.1, w = 0.89; v = 0.55 + 0.89 + 0.089 = 1.529, w = 0.7371
    Sgd sgd({&p}, {.momentum = 0.5, .weight_decay = 0.1});
    for (const double expected : {0.89, 0.7371}) {
      p.gradient(0, 0) = p.store->weight()(0, 0);
      sgd.step(0.1);
      CHECK_THAT(value(p), WithinAbs(expected, 1e-6));
    }
  }
}

TEST_CASE("nn/sgd: steps go through update and decay the stored weight") {
  Parameter p = make_parameter("fc1.weight", 0);
  Sgd sgd({&p}, {.momentum = 0, .weight_decay = 0.5});
  // Replaced after the optimiser was made; forward and backward matrices must not matter.
  p.store = std::make_unique<xbar_test::SplitWeight>(MatrixF::Constant(1, 1, 2.0F),
                                                     MatrixF::Constant(1, 1, 100.0F),
                                                     MatrixF::Constant(1, 1, -100.0F));
  sgd.step(0.25);
  CHECK_THAT(value(p), WithinAbs(2 - 0.25 * 0.5 * 2, 1e-7));
}

TEST_CASE("nn/sgd: a loaded state continues where the saved one stopped") {
  Parameter p = make_parameter("fc1.weight", 1);
  Parameter q = make_parameter("fc1.weight", 1);
  Sgd first({&p}, {.momentum = 0.9});
  p.gradient(0, 0) = 1;
  first.step(0.1);
  Sgd second({&q}, {.momentum = 0.9});
  q.store->set_weight(p.store->weight());
  second.load_state(first.state());
  q.gradient = p.gradient;
  first.step(0.1);
  second.step(0.1);
  CHECK(value(q) == value(p));

  Parameter other = make_parameter("fc2.weight", 1);
  Sgd third({&other}, {});
  CHECK_THROWS_WITH(third.load_state(first.state()), Contains("momentum/fc2.weight"));
}

TEST_CASE("nn/sgd: options out of range are refused") {
  for (const double bad : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_WITH(Sgd({}, {.momentum = bad}), Contains("momentum"));
  }
  for (const double bad :
       {-0.1, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    CHECK_THROWS_WITH(Sgd({}, {.weight_decay = bad}), Contains("weight_decay"));
  }
}
