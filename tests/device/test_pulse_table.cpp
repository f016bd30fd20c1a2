#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/pulsed_cells.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::RandomStream;
using xbar::device::make_pulse_model;
using xbar::device::PulseCurves;
using xbar::device::PulsedCells;
using xbar::device::PulseDevice;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

constexpr xbar::device::ConductanceRange micro{1e-6, 2e-6};

// Range 1 microsiemens. Up at g_min: uniform over -0.1 to 0.3 of it; at g_max 0.2 always, or rather
// between 0.199999 and 0.200001. Down: half at -0.1, half uniform from there to 0.
PulseCurves by_hand() {
  Matrix g(2, 1);
  g << 1e-6, 2e-6;
  Matrix up(4, 1);
  up << -0.1e-6, 0.199999e-6, 0.200001e-6, 0.3e-6;
  Matrix up_p(2, 4);
  up_p << 0, 0.299999 / 0.4, 0.300001 / 0.4, 1, 0, 0, 1, 1;
  Matrix down(2, 1);
  down << -0.1e-6, 0;
  Matrix down_p(2, 2);
  down_p << 0.5, 1, 0.5, 1;
  return {{"up_conductance_siemens", g}, {"up_step_siemens", up},
          {"up_cumulative", up_p},       {"down_conductance_siemens", g},
          {"down_step_siemens", down},   {"down_cumulative", down_p}};
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(const std::vector<float>& values) {
  Moments result;
  const auto n = static_cast<double>(values.size());
  for (const float value : values) result.mean += value / n;
  for (const float value : values) result.deviation += std::pow(value - result.mean, 2) / n;
  result.deviation = std::sqrt(result.deviation);
  return result;
}

}  // namespace

TEST_CASE("device/pulse_table: quantiles, means and deviations worked by hand", "[device][pulse]") {
  const auto model = make_pulse_model("table", {}, by_hand(), micro);
  REQUIRE(model->is_random());
  CHECK_THAT(model->up_step(0), WithinAbs(0.1, 1e-12));
  CHECK_THAT(model->up_step(1), WithinAbs(0.2, 1e-12));
  CHECK_THAT(model->up_step(0.5), WithinAbs(0.15, 1e-12));
  CHECK_THAT(model->down_step(0.7), WithinAbs(0.075, 1e-12));  // 0.1/2 + 0.05/2
  std::vector<float> deviation(2);
  model->up_deviations(std::vector<float>{0, 1}, deviation);
  CHECK_THAT(deviation[0], WithinAbs(0.4 / std::sqrt(12.0), 1e-6));
  CHECK_THAT(deviation[1], WithinAbs(0, 1e-6));
  // Half at 0.1, half uniform below: E x^2 = 0.01/2 + 0.01/6.
  model->down_deviations(std::vector<float>{0, 1}, deviation);
  CHECK_THAT(deviation[0], WithinAbs(std::sqrt(0.01 / 2 + 0.01 / 6 - 0.075 * 0.075), 1e-6));
  std::vector<float> step(4);
  model->draw_up(std::vector<float>{0, 0, 1, 0.5F}, std::vector<float>{0.25F, 0.875F, 0.3F, 0.25F},
                 step);
  CHECK_THAT(step[0], WithinAbs(0, 1e-6));
  CHECK_THAT(step[1], WithinAbs(0.25, 1e-6));
  CHECK_THAT(step[2], WithinAbs(0.2, 2e-6));
  CHECK_THAT(step[3], WithinAbs(0.1, 2e-6));  // half way between 0 and 0.2
  model->draw_down(std::vector<float>{0, 0, 1, 0.5F}, std::vector<float>{0.25F, 0.5F, 0.6F, 0.99F},
                   step);
  CHECK_THAT(step[0], WithinAbs(0.05, 1e-6));
  CHECK_THAT(step[2], WithinAbs(0.1, 1e-6));
  CHECK_THAT(step[3], WithinAbs(0.1, 1e-6));
}

TEST_CASE("device/pulse_table: few pulses are drawn, many summed, with one law",
          "[device][pulse]") {
  PulseDevice device;
  device.g_min_siemens = micro.g_min;
  device.g_max_siemens = micro.g_max;
  // A hundredth of the steps, so that a sum of 24 is far from the bounds.
  PulseCurves curves = by_hand();
  curves["up_step_siemens"] *= 0.01;
  curves["down_step_siemens"] *= 0.01;
  device.curves = curves;
  device.model = make_pulse_model("table", {}, curves, micro);
  const std::size_t count = 20000;
  PulsedCells cells(std::make_shared<const PulseDevice>(device), 1, static_cast<Index>(count),
                    RandomStream(3, "cells"));
  const auto run = [&](std::vector<int> events, float up, float down) {
    std::vector<float> x(count, 0.5F);
    for (const int event : events) {
      cells.pulse(0, 0, x, std::vector<float>(count, up), std::vector<float>(count, down),
                  RandomStream(5, "noise").substream(static_cast<std::uint64_t>(event)));
    }
    return x;
  };
  // 12 up and 12 down at once are summed, three times 4 and 4 are drawn.
  const Moments summed = moments(run({0}, 12, 12));
  const Moments drawn = moments(run({0, 1, 2}, 4, 4));
  // At x = 0.5 the mean up is 0.0015, down 0.00075; x rises by 12 * 0.00075, the up step by 0.001
  // of that. Variances add.
  const double rise = 12 * 0.00075;
  CHECK_THAT(drawn.mean, WithinAbs(0.5 + rise, 12 * 0.001 * rise + 6 * drawn.deviation * 0.00707));
  CHECK_THAT(summed.mean, WithinAbs(drawn.mean, 6 * drawn.deviation * 0.01));
  CHECK_THAT(summed.deviation, WithinRel(drawn.deviation, 6 * 0.00707));
  std::vector<float> deviation(1);
  device.model->up_deviations(std::vector<float>{0.5F}, deviation);
  const double up = deviation[0];
  device.model->down_deviations(std::vector<float>{0.5F}, deviation);
  const double down = deviation[0];
  CHECK_THAT(drawn.deviation, WithinRel(std::sqrt(12 * (up * up + down * down)), 6 * 0.005));

  // A pulse of half the voltage moves half as far.
  const Moments half = moments(run({7}, 0.5F, 0));
  CHECK_THAT(half.mean, WithinAbs(0.5 + 0.00075, 6 * half.deviation * 0.00707));

  // One up and one down, in either order, on every cell.
  const Moments pair = moments(run({8}, 1, 1));
  CHECK_THAT(pair.mean, WithinAbs(0.5 + 0.00075, 6 * pair.deviation * 0.00707));
  CHECK_THAT(pair.deviation, WithinRel(std::hypot(up, down), 6 * 0.005));
}

TEST_CASE("device/pulse_table: tables that are none are refused", "[device][pulse]") {
  const auto message = [](const std::string& name, const Matrix& values) {
    PulseCurves curves = by_hand();
    curves[name] = values;
    return xbar_test::message_of<xbar::InvalidArgument>(
        [&] { (void)make_pulse_model("table", {}, curves, micro); });
  };
  Matrix two(2, 1);
  two << 1e-6, 3e-6;
  CHECK(
      message("up_conductance_siemens", two) ==
      "up_conductance_siemens: expected equally spaced conductances from g_min_siemens = 1e-06 to "
      "g_max_siemens = 2e-06, found 3e-06 in place 1, where 2e-06 would be");
  CHECK(message("down_step_siemens", Matrix::Zero(2, 1)) ==
        "down_step_siemens: expected rising values, found 0 after 0");
  CHECK(message("down_cumulative", Matrix::Zero(2, 3)) ==
        "down_cumulative: expected 2 x 2 probabilities, a row a conductance and a column a step, "
        "found 2 x 3");
  Matrix falling(2, 2);
  falling << 0.5, 1, 0.5, 0.25;
  CHECK(
      message("down_cumulative", falling) ==
      "down_cumulative: expected probabilities of 0 to 1 that do not fall along a row, found 0.25 "
      "in row 1, column 1");
}

TEST_CASE("device/pulse_table: measured FeMFET distributions", "[device][pulse]") {
  const std::filesystem::path folder = std::filesystem::path(XBAR_SHARED_DIR) / "data" / "device";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: no " << folder);
    return;
  }
  // As a device file that names the files beside it would be read. The axis: 5 to 30 microsiemens.
  std::string text = "g_min_siemens = 5e-6\ng_max_siemens = 30e-6\n[model]\nname = \"table\"\n";
  for (const auto& [way, pulse] : {std::pair{"up", "set"}, std::pair{"down", "reset"}}) {
    const std::string file = std::string("xbtorch_femfet_1.5V_") + pulse;
    text += std::string(way) + "_conductance_siemens = \"" + file + "_G_axis.txt\"\n";
    text += std::string(way) + "_step_siemens = \"" + file + "_dG_axis.txt\"\n";
    text += std::string(way) + "_cumulative = \"" + file + "_cdf.txt\"\n";
  }
  const PulseDevice device =
      xbar::device::parse_pulse_device(text, (folder / "femfet.toml").string());
  const Matrix& g = device.curves.at("up_conductance_siemens");
  const Matrix& change = device.curves.at("up_step_siemens");
  const Matrix& p = device.curves.at("up_cumulative");
  REQUIRE(p.rows() == 100);
  REQUIRE(p.cols() == 100);
  const double width = device.g_max_siemens - device.g_min_siemens;

  // One pulse to 20,000 cells at a row's conductance: the share that moved by at most a value is
  // the table's probability. At the level 10^-4 the distance is 2.23/sqrt(n).
  const std::size_t count = 20000;
  PulsedCells cells(std::make_shared<const PulseDevice>(device), 1, static_cast<Index>(count),
                    RandomStream(3, "cells"));
  const Index row = 50;
  const double from = (g(row) - g(0)) / width;
  std::vector<float> x(count, static_cast<float>(from));
  cells.pulse(0, 0, x, std::vector<float>(count, 1), std::vector<float>(count, 0),
              RandomStream(5, "noise"));
  double worst = 0;
  for (Index j = 0; j < change.size(); ++j) {
    const double to = from + change(j) / width;
    if (to < 1e-3 || to > 0.999) continue;  // beyond the range, where cells stay at its end
    const auto moved = static_cast<double>(
        std::count_if(x.begin(), x.end(), [&](float value) { return value <= to; }));
    worst = std::max(worst, std::abs(moved / static_cast<double>(count) - p(row, j)));
  }
  CHECK(worst > 0);
  CHECK(worst <= 2.23 / std::sqrt(20000.0));
  // A set pulse raises cells that are low, a reset pulse lowers those that are high.
  CHECK(device.model->up_step(0.1) > 0.01);
  CHECK(device.model->down_step(0.9) > 0.01);
}
