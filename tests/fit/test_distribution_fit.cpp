#include <algorithm>
#include <cmath>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/fit/distribution_fit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::fit::DistributionFit;
using xbar::fit::fit_distributions;
using xbar::fit::StepDistribution;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

/// Soft bounds of 20 % a step between 1 and 11 uS, each step uniform within 1 uS of its mean:
/// the probability of at most c is (c - mean)/2 uS + 1/2.
StepDistribution uniform_steps(bool up, Index rows, Index columns) {
  StepDistribution table;
  table.name = "synthetic";
  table.cumulative.resize(rows, columns);
  for (Index j = 0; j < columns; ++j) {
    table.change_siemens.push_back(
        (-4 + 8.0 * static_cast<double>(j) / static_cast<double>(columns - 1)) * 1e-6);
  }
  for (Index i = 0; i < rows; ++i) {
    const double x = static_cast<double>(i) / static_cast<double>(rows - 1);
    table.conductance_siemens.push_back((1 + 10 * x) * 1e-6);
    const double mean = (up ? 2 * (1 - x) : -2 * x) * 1e-6;
    for (Index j = 0; j < columns; ++j) {
      const double c = table.change_siemens[static_cast<std::size_t>(j)];
      table.cumulative(i, j) = std::clamp((c - mean) / 2e-6 + 0.5, 0.0, 1.0);
    }
  }
  return table;
}

}  // namespace

TEST_CASE("fit/distribution_fit: means, quantiles and the nearest model are those put in",
          "[fit]") {
  const DistributionFit fit =
      fit_distributions(uniform_steps(true, 41, 161), uniform_steps(false, 41, 161), 0.01);
  REQUIRE(fit.bands.size() == 82);
  // The middle row of up pulses: mean 1 uS, 10 % at 1 - 0.8 uS, 90 % at 1 + 0.8 uS.
  const auto& band = fit.bands[20];
  REQUIRE(band.up);
  CHECK_THAT(band.mean_siemens, WithinRel(1e-6, 1e-3));
  CHECK_THAT(band.low_siemens, WithinRel(0.2e-6, 1e-3));
  CHECK_THAT(band.high_siemens, WithinRel(1.8e-6, 1e-3));
  CHECK_THAT(fit.bands[41 + 40].mean_siemens, WithinRel(-2e-6, 1e-3));
  for (const auto& model : fit.nearest) {
    if (model.name != "soft-bounds") continue;
    CHECK(model.rms < 1e-3);
    CHECK_THAT(model.parameters[0].value, WithinRel(0.2, 1e-3));
    CHECK_THAT(model.parameters[1].value, WithinRel(0.2, 1e-3));
  }
  CHECK(fit.nearest[fit.best].rms < 1e-3);
}

TEST_CASE("fit/distribution_fit: a thinned table says the same to the tolerance", "[fit]") {
  const auto up = uniform_steps(true, 41, 161);
  const auto down = uniform_steps(false, 41, 161);
  for (const double tolerance : {0.002, 0.02}) {
    const DistributionFit fit = fit_distributions(up, down, tolerance);
    CAPTURE(tolerance, fit.rows, fit.columns, fit.thinning_error);
    CHECK(fit.thinning_error <= tolerance);
    CHECK(fit.columns < 161);
    // Measured anew on the model: means of the device against the means by hand.
    for (const double x : {0.0, 0.3, 0.77, 1.0}) {
      // A probability wrong by t moves a mean by t of the width of all changes, 8 uS, at most.
      CHECK_THAT(fit.device.model->up_step(x), WithinAbs(0.2 * (1 - x), 0.8 * tolerance));
      CHECK_THAT(fit.device.model->down_step(x), WithinAbs(0.2 * x, 0.8 * tolerance));
    }
  }
  // Quantiles are straight lines of x, so that two rows are enough.
  CHECK(fit_distributions(up, down, 0.02).rows == 2);
}

TEST_CASE("fit/distribution_fit: what is no distribution is refused", "[fit]") {
  const auto up = uniform_steps(true, 5, 9);
  auto down = uniform_steps(false, 5, 9);
  CHECK(contains(message_of<xbar::InvalidArgument>([&] { (void)fit_distributions(up, down, 0); }),
                 "tolerance: expected 1e-4 to 0.1, found 0"));
  down.cumulative(2, 3) = 1.5;
  CHECK(
      contains(message_of<xbar::InvalidArgument>([&] { (void)fit_distributions(up, down, 0.01); }),
               "down_cumulative: expected probabilities"));
  down = uniform_steps(false, 5, 9);
  down.conductance_siemens.back() *= 2;
  CHECK(
      contains(message_of<xbar::InvalidArgument>([&] { (void)fit_distributions(up, down, 0.01); }),
               "down_conductance_siemens: expected equally spaced"));
}
