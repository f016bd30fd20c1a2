#include <cmath>
#include <vector>

#include <xbar/device/linear_update.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::apply_update;
using xbar::device::LinearUpdate;

TEST_CASE("device/linear_update: without noise a cell moves as asked, within its bounds",
          "[device]") {
  std::vector<float> state = {0.25F, 0.9F, 0.1F, 0.5F};
  const std::vector<float> change = {0.5F, 0.25F, -0.25F, 0.0F};
  apply_update({}, state, change, RandomStream(1, "noise"), 0);
  REQUIRE(state == std::vector<float>{0.75F, 1.0F, 0.0F, 0.5F});
}

TEST_CASE("device/linear_update: write noise grows with the root of the step", "[device]") {
  // Standard deviation gamma sqrt(|dx|), mean dx; 20,000 cells: relative error of the standard
  // deviation 1/sqrt(2 * 20000) = 0.5 %, so 3 % is six of them.
  const std::size_t count = 20000;
  const RandomStream noise(7, "noise");
  const LinearUpdate model{.write_noise = 0.05};
  for (const float step : {0.01F, 0.16F}) {
    std::vector<float> state(count, 0.5F);
    const std::vector<float> change(count, step);
    apply_update(model, state, change, noise, 0);
    double mean = 0;
    double square = 0;
    for (const float x : state) {
      mean += (x - 0.5) / static_cast<double>(count);
      square += (x - 0.5) * (x - 0.5) / static_cast<double>(count);
    }
    const double expected = 0.05 * std::sqrt(step);
    const double deviation = std::sqrt(square - mean * mean);
    REQUIRE_THAT(deviation, xbar_test::WithinRel(expected, 0.03));
    REQUIRE_THAT(mean, xbar_test::WithinAbs(step, 6 * expected / std::sqrt(20000.0)));
  }
}

TEST_CASE(
    "device/linear_update: a cell that is not written gets no noise; draws depend on the cell",
    "[device]") {
  const RandomStream noise(7, "noise");
  const LinearUpdate model{.write_noise = 0.1};
  std::vector<float> whole = {0.5F, 0.5F, 0.5F, 0.5F};
  apply_update(model, whole, std::vector<float>{0.1F, 0.0F, 0.1F, 0.1F}, noise, 0);
  REQUIRE(whole[1] == 0.5F);
  REQUIRE(whole[0] != whole[2]);
  // The same cells in two pieces: the result does not depend on how the work is split.
  std::vector<float> tail = {0.5F, 0.5F};
  apply_update(model, tail, std::vector<float>{0.1F, 0.1F}, noise, 2);
  REQUIRE(tail[0] == whole[2]);
  REQUIRE(tail[1] == whole[3]);
}
