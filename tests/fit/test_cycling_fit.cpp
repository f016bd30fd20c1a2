#include <cmath>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/fit/cycling_fit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::fit::CyclingData;
using xbar::fit::CyclingFit;
using xbar::fit::fit_cycling;
using xbar::fit::parse_cycling_data;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::WithinRel;

TEST_CASE("fit/cycling_fit: two cells and two cycles, by hand", "[fit]") {
  // Off 1 and 3 uS, then 2 and 4; on 10 and 12, then 14 and 16.
  const auto data = parse_cycling_data(
      "cell,off,on,off,on\n"
      "a,1e6,1e5,333333.33333333333,83333.333333333333\n"
      "b,5e5,71428.571428571428,2.5e5,62500\n",
      "f.csv");
  REQUIRE(data.cells == std::vector<std::string>{"a", "b"});
  const CyclingFit fit = fit_cycling(data);
  // Means of the cells 2 and 3, 11 and 15 uS.
  CHECK_THAT(fit.off.mean.value, WithinRel(2.5e-6, 1e-9));
  CHECK_THAT(fit.on.mean.value, WithinRel(13e-6, 1e-9));
  // Each cell scatters by +-1 uS: variance 2 uS^2 with one degree of freedom.
  CHECK_THAT(fit.off.cycle_sigma, WithinRel(std::sqrt(2.0) * 1e-6, 1e-9));
  // Between the means (15 - 11)^2/2 = 8 uS^2, of which 2/2 is from the cycles.
  CHECK_THAT(fit.on.cell_sigma, WithinRel(std::sqrt(7.0) * 1e-6, 1e-9));
  // Off: 0.5 uS^2 between, less than the 1 that the cycles explain.
  CHECK(fit.off.cell_sigma == 0);
  CHECK(fit.failures == 0);
  CHECK_THAT(fit.device.g_max_siemens, WithinRel(13e-6, 1e-9));
  CHECK_THAT(fit.device.noise.write, WithinRel(std::sqrt(2.0) / 10.5, 1e-9));
  CHECK(fit.device.model->up_step(0) == 1);
}

TEST_CASE("fit/cycling_fit: spreads of many cells come back", "[fit]") {
  constexpr int cells = 400;
  constexpr int cycles = 50;
  const xbar::RandomStream stream(3, "test/cycling");
  std::uint64_t draw = 0;
  CyclingData data{"synthetic", {}, xbar::Matrix(cells, cycles), xbar::Matrix(cells, cycles)};
  for (int c = 0; c < cells; ++c) {
    data.cells.push_back(std::to_string(c));
    const double off = 20 + 2 * stream.normal(draw++);
    const double on = 100 + 5 * stream.normal(draw++);
    for (int k = 0; k < cycles; ++k) {
      data.off_siemens(c, k) = 1e-6 * (off + 3 * stream.normal(draw++));
      data.on_siemens(c, k) = 1e-6 * (on + 4 * stream.normal(draw++));
    }
  }
  const CyclingFit fit = fit_cycling(data);
  // A sigma of n values is known to 1/sqrt(2 n) of itself; four of those for 400 cells: 14 %, and
  // for 19,600 readings 2 %.
  CHECK_THAT(fit.off.cell_sigma, WithinRel(2e-6, 0.14));
  CHECK_THAT(fit.on.cell_sigma, WithinRel(5e-6, 0.14));
  CHECK_THAT(fit.off.cycle_sigma, WithinRel(3e-6, 0.02));
  CHECK_THAT(fit.on.cycle_sigma, WithinRel(4e-6, 0.02));
  CHECK(fit.on.mean.low < 100e-6);
  CHECK(fit.on.mean.high > 100e-6);
  CHECK_THAT(fit.device.spread.upper, WithinRel(5.0 / 80, 0.14));
}

TEST_CASE("fit/cycling_fit: what cannot be used is refused in one line", "[fit]") {
  const auto refusal = [](const std::string& text) {
    return message_of<xbar::IoError>([&] { (void)fit_cycling(parse_cycling_data(text, "f.csv")); });
  };
  CHECK(contains(refusal("a,1,2,3,4\n"), "f.csv: expected at least 2 cells"));
  CHECK(contains(refusal("a,9,1,9,1\nb,9,1\n"), "line 2: expected a name and 2 pairs"));
  CHECK(contains(refusal("a,9,1,9,0\nb,9,1,9,1\n"), "line 1: ohm: expected > 0, found 0"));
  CHECK(contains(refusal("a,1,9,1,9\nb,1,9,1,9\n"), "conduct more after SET"));
}
