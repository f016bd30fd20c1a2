#include <xbar/core/error.hpp>
#include <xbar/validation/study.hpp>

#include "support/catch.hpp"

using xbar::surrogate::ModelKind;
using xbar::validation::StudyOptions;
using xbar::validation::StudyPoint;
using xbar::validation::surrogate_study;

namespace {

StudyOptions options(xbar::Index arrays) {
  StudyOptions result;
  result.measure.arrays = arrays;
  result.measure.inputs = 16;
  return result;
}

StudyPoint square(xbar::Index size) {
  StudyPoint point;
  point.technology.rows = point.technology.columns = size;
  return point;
}

}  // namespace

TEST_CASE("validation/study: a row for each point and model, errors as designed", "[validation]") {
  int calls = 0;
  const auto rows =
      surrogate_study({square(16), square(64)}, options(2), [&](const xbar::Progress& progress) {
        ++calls;
        REQUIRE(progress.total == 2);
      });
  REQUIRE(calls == 2);
  REQUIRE(rows.size() == 8);
  REQUIRE(rows[0].measurement.model == ModelKind::ideal);
  REQUIRE(rows[7].measurement.model == ModelKind::sneak_ladder);
  REQUIRE(rows[7].point.technology.rows == 64);
  // Ideal arithmetic at 64 x 64 is far off, the ladder about 3 % (design section 2, item 3).
  REQUIRE(rows[4].measurement.relative_error >= 0.3);
  REQUIRE_THAT(rows[5].measurement.relative_error, xbar_test::WithinAbs(0.031, 0.005));
  REQUIRE(rows[6].measurement.relative_error <= 0.0025);
  REQUIRE(rows[7].measurement.relative_error <= 0.0001);
  for (std::size_t k = 0; k < 4; ++k) {
    REQUIRE(rows[k].measurement.relative_error < rows[k + 4].measurement.relative_error);
    REQUIRE(rows[k].exact_seconds > 0);
  }
}

TEST_CASE("validation/study: trained points are measured on the given weights", "[validation]") {
  StudyPoint point = square(8);
  point.trained = true;
  StudyOptions o = options(1);
  o.models = {ModelKind::ideal};
  REQUIRE_THROWS_AS(surrogate_study({point}, o), xbar::InvalidArgument);
  // One polarity has all cells on, the other all off: 8 cells of 20 kohm lose more than 8 of 200.
  o.weights = {xbar::MatrixF::Constant(8, 8, 0.5F)};
  o.measure.arrays = 2;
  const double both = surrogate_study({point}, o).front().measurement.relative_error;
  point.trained = false;
  const double uniform = surrogate_study({point}, o).front().measurement.relative_error;
  REQUIRE(weights_name(point) == "uniform");
  REQUIRE(both > 0);
  REQUIRE(both != uniform);
}
