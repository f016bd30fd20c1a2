#include <xbar/core/error.hpp>
#include <xbar/nn/optimizer.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using namespace xbar::nn;

TEST_CASE("nn/optimizer: names go both ways and a typing error is answered") {
  for (const auto kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
    CHECK(optimizer_kind(optimizer_name(kind)) == kind);
  }
  CHECK(optimizer_name(OptimizerKind::adamw) == "adamw");
  CHECK_THROWS_WITH(optimizer_kind("adan"), Contains("did you mean adam"));
}
