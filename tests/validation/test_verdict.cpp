#include <cmath>
#include <vector>

#include <xbar/validation/verdict.hpp>

#include "support/catch.hpp"

using xbar::surrogate::ModelKind;
using xbar::surrogate::WeightDistribution;
using xbar::validation::beyond;
using xbar::validation::StudyRow;
using xbar::validation::verdicts;

namespace {

StudyRow row(double on_ohm, WeightDistribution weights, ModelKind model, double error,
             double seconds) {
  StudyRow result;
  result.point.technology.on_ohm = on_ohm;
  result.point.technology.distribution = weights;
  result.measurement.model = model;
  result.measurement.relative_error = error;
  result.measurement.effective_seconds = seconds;
  return result;
}

// Ladder: cheap, 2 % with uniform weights; sneak ladder: dear, good at 20 kohm, 5 % at 5 kohm.
const std::vector<StudyRow> rows = {
    row(20e3, WeightDistribution::uniform, ModelKind::ladder, 0.02, 1),
    row(20e3, WeightDistribution::uniform, ModelKind::sneak_ladder, 0.001, 3),
    row(20e3, WeightDistribution::sparse, ModelKind::ladder, 0.001, 1),
    row(20e3, WeightDistribution::sparse, ModelKind::sneak_ladder, 0.0001, 3),
    row(5e3, WeightDistribution::uniform, ModelKind::ladder, std::nan(""), 9),
    row(5e3, WeightDistribution::uniform, ModelKind::sneak_ladder, 0.05, 3),
};
const std::vector<ModelKind> both{ModelKind::ladder, ModelKind::sneak_ladder};

}  // namespace

TEST_CASE("validation/verdict: the cheapest member that keeps it with all weights",
          "[validation]") {
  // The ladder keeps 1 % with sparse weights only.
  const auto strict = verdicts(rows, 0.01, both);
  REQUIRE(strict.size() == 2);
  REQUIRE(strict[0].technology.on_ohm == 20e3);
  REQUIRE(strict[0].model == ModelKind::sneak_ladder);
  REQUIRE(strict[0].error == 0.001);
  REQUIRE(strict[0].seconds == 3);
  REQUIRE_FALSE(strict[1].model.has_value());
  REQUIRE(strict[1].error == 0.05);

  const auto loose = verdicts(rows, 0.03, both);
  REQUIRE(loose[0].model == ModelKind::ladder);
  REQUIRE(loose[0].error == 0.02);
  REQUIRE(loose[0].seconds == 1);  // median of 1, 1 and 9

  // Only what may be chosen is.
  REQUIRE(verdicts(rows, 0.03, std::vector{ModelKind::sneak_ladder})[0].model ==
          ModelKind::sneak_ladder);
}

TEST_CASE("validation/verdict: where a member breaks its limit, worst first", "[validation]") {
  const auto missed = beyond(rows, ModelKind::ladder, 0.01);
  REQUIRE(missed.size() == 2);
  REQUIRE(std::isnan(missed[0].measurement.relative_error));
  REQUIRE(missed[1].measurement.relative_error == 0.02);
  REQUIRE(beyond(rows, ModelKind::sneak_ladder, 0.05).empty());
}
