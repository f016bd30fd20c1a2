#include <xbar/core/error.hpp>
#include <xbar/validation/surrogate_study.hpp>

#include "support/catch.hpp"

using xbar::surrogate::ModelKind;
using xbar::validation::StudyPoint;
using xbar::validation::surrogate_study;

TEST_CASE("validation/surrogate_study: a row for each point and model, errors as designed",
          "[validation]") {
  StudyPoint small;
  small.size = 16;
  StudyPoint large;
  large.size = 64;
  int calls = 0;
  const auto rows = surrogate_study({small, large}, {.arrays = 2, .inputs = 16},
                                    [&](const xbar::Progress& progress) {
                                      ++calls;
                                      REQUIRE(progress.total == 4);
                                    });
  REQUIRE(calls == 4);
  REQUIRE(rows.size() == 6);
  REQUIRE(rows[0].model == ModelKind::ideal);
  REQUIRE(rows[5].model == ModelKind::operating_point);
  REQUIRE(rows[5].point.size == 64);
  // Ideal arithmetic at 64 x 64 is far off, the ladder about 3 % (design section 2, item 3).
  REQUIRE(rows[3].error.mean >= 0.3);
  REQUIRE_THAT(rows[4].error.mean, xbar_test::WithinAbs(0.031, 0.005));
  REQUIRE(rows[5].error.mean <= 0.008);
  for (std::size_t k = 0; k < 3; ++k) REQUIRE(rows[k].error.mean < rows[k + 3].error.mean);
}

TEST_CASE("validation/surrogate_study: the array depends on the seed only", "[validation]") {
  StudyPoint point;
  const auto a = xbar::validation::random_conductance(point, 1);
  REQUIRE(a == xbar::validation::random_conductance(point, 1));
  REQUIRE(a != xbar::validation::random_conductance(point, 2));
  REQUIRE(a.minCoeff() >= 5e-6);
  REQUIRE(a.maxCoeff() <= 50e-6);
  REQUIRE_THROWS_AS(surrogate_study({point}, {.arrays = 0}), xbar::InvalidArgument);
}
