#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/device/pulsed_cells.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::RandomStream;
using xbar::device::make_pulse_model;
using xbar::device::PulsedCells;
using xbar::device::PulseDevice;
using xbar::device::PulseModel;
using xbar_test::WithinAbs;

namespace {

PulseDevice device_with(std::shared_ptr<const PulseModel> model) {
  PulseDevice device;
  device.g_min_siemens = 1e-6;
  device.g_max_siemens = 1e-5;
  device.model = std::move(model);
  return device;
}

// Every kind of spread and noise that a model without labels has.
void roughen(PulseDevice& device) {
  device.spread = {.step = 0.3, .up_down = 0.1, .lower = 0.05, .upper = 0.15};
  device.noise.step = 0.4;
  device.noise.range = 0.001;
}

PulsedCells cells_of(const PulseDevice& device, Index lines, Index length) {
  return {std::make_shared<const PulseDevice>(device), lines, length, RandomStream(3, "cells")};
}

// The same model, hiding that its steps are straight lines.
class HiddenLines final : public PulseModel {
 public:
  explicit HiddenLines(std::shared_ptr<const PulseModel> model) : model_(std::move(model)) {}
  [[nodiscard]] std::string_view name() const override { return model_->name(); }
  [[nodiscard]] double up_step(double x) const override { return model_->up_step(x); }
  [[nodiscard]] double down_step(double x) const override { return model_->down_step(x); }
  void up_steps(std::span<const float> x, std::span<float> step) const override {
    model_->up_steps(x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    model_->down_steps(x, step);
  }

 private:
  std::shared_ptr<const PulseModel> model_;
};

// Whole numbers of pulses, many of them 0.
std::vector<float> some_pulses(std::size_t count, const char* name, float most) {
  std::vector<float> pulses(count);
  xbar::fill_uniform(RandomStream(8, name), 0, pulses);
  for (float& n : pulses) n = std::floor(std::max(n * 2 * most - most, 0.0F));
  return pulses;
}

std::vector<float> some_states(std::size_t count) {
  std::vector<float> x(count);
  xbar::fill_uniform(RandomStream(8, "x"), 0, x);
  return x;
}

const std::vector<const char*> smooth_models{"linear",    "soft-bounds", "neurosim", "asymmetric",
                                             "symmetric", "exponential", "power"};

}  // namespace

TEST_CASE("device/pulsed_cells: a single pulse is the model's step, a cell without one stays",
          "[device][pulse]") {
  for (const char* name : smooth_models) {
    PulsedCells cells = cells_of(device_with(make_pulse_model(name)), 1, 5);
    const PulseModel& model = *cells.device().model;
    const std::vector<float> before{0, 0.3F, 0.3F, 0.7F, 1};
    std::vector<float> x = before;
    cells.pulse(0, 0, x, std::vector<float>{1, 1, 0, 0, 0}, std::vector<float>{0, 0, 1, 0, 1},
                RandomStream(1, "none"));
    const double ulp = 0x1p-22;  // of the state, and of steps of a hundredth
    CAPTURE(name);
    CHECK_THAT(x[0], WithinAbs(model.up_step(0), ulp));
    CHECK_THAT(x[1], WithinAbs(0.3F + model.up_step(0.3F), ulp));
    CHECK_THAT(x[2], WithinAbs(0.3F - model.down_step(0.3F), ulp));
    CHECK(x[3] == before[3]);
    CHECK_THAT(x[4], WithinAbs(1 - model.down_step(1), ulp));
  }
}

TEST_CASE("device/pulsed_cells: a NaN stays one", "[device][pulse]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* name : smooth_models) {
    PulseDevice device = device_with(make_pulse_model(name));
    for (const bool is_rough : {false, true}) {
      if (is_rough) roughen(device);
      PulsedCells cells = cells_of(device, 1, 40);
      std::vector<float> x(40, nan);
      x[3] = 0.5F;
      cells.pulse(0, 0, x, std::vector<float>(40, 2), std::vector<float>(40, 1),
                  RandomStream(1, "noise"));
      CAPTURE(name, is_rough);
      for (std::size_t k = 0; k < x.size(); ++k) REQUIRE(std::isnan(x[k]) == (k != 3));
    }
  }
}

TEST_CASE("device/pulsed_cells: a pulse of less voltage counts less", "[device][pulse]") {
  // 0.25 of a pulse of 0.01 (1 - x) at x = 0.5.
  PulsedCells cells = cells_of(device_with(make_pulse_model("soft-bounds")), 1, 1);
  std::vector<float> x{0.5F};
  cells.pulse(0, 0, x, std::vector<float>{0.25F}, std::vector<float>{0}, RandomStream(1, "none"));
  CHECK_THAT(x[0], WithinAbs(0.5 + 0.25 * 0.005, 0x1p-23));
}

TEST_CASE("device/pulsed_cells: the way for straight lines is the general one but for rounding",
          "[device][pulse]") {
  const std::size_t count = 3000;
  for (const char* name : {"linear", "soft-bounds", "neurosim", "asymmetric"}) {
    PulseDevice device = device_with(make_pulse_model(name));
    roughen(device);
    PulsedCells fast = cells_of(device, 1, count);
    device.model = std::make_shared<HiddenLines>(device.model);
    PulsedCells general = cells_of(device, 1, count);
    const std::vector<float> up = some_pulses(count, "up", 6);
    const std::vector<float> down = some_pulses(count, "down", 6);
    std::vector<float> a = some_states(count);
    std::vector<float> b = a;
    fast.pulse(0, 0, a, up, down, RandomStream(1, "noise"));
    general.pulse(0, 0, b, up, down, RandomStream(1, "noise"));
    CAPTURE(name);
    CHECK(a != some_states(count));
    // Two dozen roundings of numbers up to the range.
    double worst = 0;
    for (std::size_t k = 0; k < count; ++k) {
      worst = std::max(worst, static_cast<double>(std::abs(a[k] - b[k])));
    }
    CHECK(worst <= 24 * 0x1p-24);
  }
}

TEST_CASE("device/pulsed_cells: cutting a line or sharing it among threads has no effect",
          "[device][pulse]") {
  const Index lines = 6;
  const Index length = 700;
  const std::size_t count = 700;
  for (const char* name : {"soft-bounds", "exponential", "symmetric"}) {
    PulseDevice device = device_with(make_pulse_model(name));
    roughen(device);
    device.noise.write = 0.05;
    device.endurance = {.pulses = 8, .deviation = 0.5};
    // Halves of pulses too, and so many that some cells' go in several events.
    std::vector<float> up = some_pulses(count, "up", 60);
    std::vector<float> down = some_pulses(count, "down", 60);
    for (std::size_t k = 0; k < count; k += 3) up[k] = down[k] = 0.5F;
    const auto run = [&](std::size_t cut, bool on_threads) {
      PulsedCells cells = cells_of(device, lines, length);
      MatrixF x(lines, length);
      const auto pulse_line = [&](Index line) {
        std::vector<float> states = some_states(count);
        cells.set(line, 0, states);
        for (const int event : {0, 1}) {
          for (std::size_t first = 0; first < count; first += cut) {
            const std::size_t size = std::min(cut, count - first);
            cells.pulse(line, static_cast<Index>(first), std::span(states).subspan(first, size),
                        std::span<const float>(up).subspan(first, size),
                        std::span<const float>(down).subspan(first, size),
                        RandomStream(1, "noise").substream(static_cast<std::uint64_t>(event)));
          }
        }
        x.row(line) = Eigen::Map<Eigen::RowVectorXf>(states.data(), length);
      };
      if (on_threads) {
        xbar::parallel_for(lines, pulse_line);
      } else {
        for (Index line = 0; line < lines; ++line) pulse_line(line);
      }
      return x;
    };
    const MatrixF whole = run(count, false);
    CAPTURE(name);
    CHECK(run(1, false) == whole);
    CHECK(run(97, true) == whole);
    CHECK(whole.row(0) != whole.row(1));  // each line's cells are its own
  }
}

TEST_CASE("device/pulsed_cells: cells keep to their own bounds", "[device][pulse]") {
  PulseDevice device = device_with(make_pulse_model("linear", {{"up_step", 0.1}}));
  roughen(device);
  const Index count = 2000;
  PulsedCells cells = cells_of(device, 1, count);
  std::vector<float> lower(count, -9.0F);
  std::vector<float> upper(count, 9.0F);
  cells.set(0, 0, lower);
  cells.set(0, 0, upper);
  // g_min is a ninth of the range: no conductance is below 0.
  CHECK(*std::min_element(lower.begin(), lower.end()) >= -1.0F / 9);
  CHECK(*std::min_element(lower.begin(), lower.end()) < -0.1F);
  std::vector<float> x(count, 0.5F);
  const std::vector<float> many(count, 60);
  const std::vector<float> none(count, 0);
  cells.pulse(0, 0, x, many, none, RandomStream(1, "noise"));
  std::size_t at_bound = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    REQUIRE(x[k] <= upper[k]);
    if (x[k] == upper[k]) ++at_bound;
  }
  CHECK(at_bound > count / 2);
  cells.pulse(0, 0, x, none, many, RandomStream(2, "noise"));
  cells.pulse(0, 0, x, none, many, RandomStream(3, "noise"));
  for (std::size_t k = 0; k < x.size(); ++k) REQUIRE(x[k] >= lower[k]);
}

TEST_CASE("device/pulsed_cells: the symmetry point is where up and down pulses cancel",
          "[device][pulse]") {
  // up 0.02 (1 - x), down 0.01 x: equal at 2/3. With factors a and b: 2 a / (2 a + b).
  const auto model = make_pulse_model("soft-bounds", {{"up_step", 0.02}, {"down_step", 0.01}});
  std::vector<float> x(3);
  cells_of(device_with(model), 1, 3).symmetry_point(0, 0, x);
  CHECK_THAT(x[1], WithinAbs(2.0 / 3, 1e-6));

  // Up steps larger everywhere: the upper bound; smaller: the lower one.
  cells_of(device_with(make_pulse_model("linear", {{"up_step", 0.02}})), 1, 3)
      .symmetry_point(0, 0, x);
  CHECK_THAT(x[0], WithinAbs(1, 1e-6));

  PulseDevice device = device_with(model);
  device.spread = {.step = 0.3, .up_down = 0.2, .lower = 0.05, .upper = 0.1};
  const Index count = 600;
  PulsedCells cells = cells_of(device, 1, count);
  std::vector<float> point(count);
  cells.symmetry_point(0, 0, point);
  const std::vector<float> one(count, 1);
  const std::vector<float> none(count, 0);
  std::vector<float> up = point;
  std::vector<float> down = point;
  cells.pulse(0, 0, up, one, none, RandomStream(1, "none"));
  cells.pulse(0, 0, down, none, one, RandomStream(1, "none"));
  CHECK(*std::max_element(point.begin(), point.end()) > 0.72F);
  for (std::size_t k = 0; k < point.size(); ++k) {
    REQUIRE_THAT(up[k] - point[k], WithinAbs(point[k] - down[k], 4e-7));
    REQUIRE(up[k] > point[k]);
  }
}

TEST_CASE("device/pulsed_cells: a one-way cell goes up, and back to its bound at once",
          "[device][pulse]") {
  PulseDevice device = device_with(make_pulse_model("linear", {{"up_step", 0.125}}));
  device.one_way = true;
  PulsedCells cells = cells_of(device, 1, 3);
  std::vector<float> x{0.5F, 0.5F, 0.5F};
  cells.pulse(0, 0, x, std::vector<float>{1, 0, 2}, std::vector<float>{0, 1, 3},
              RandomStream(1, "none"));
  CHECK(x == std::vector<float>{0.625F, 0, 0.25F});
}

TEST_CASE("device/pulsed_cells: worn cells stop", "[device][pulse]") {
  PulseDevice device = device_with(make_pulse_model("linear", {{"up_step", 0.0625}}));
  device.endurance.pulses = 5;
  PulsedCells cells = cells_of(device, 1, 2);
  std::vector<float> x{0, 0};
  const std::vector<float> none{0, 0};
  cells.pulse(0, 0, x, std::vector<float>{3, 1}, none, RandomStream(1, "none"));
  CHECK(x == std::vector<float>{0.1875F, 0.0625F});
  cells.pulse(0, 0, x, std::vector<float>{3, 1}, none, RandomStream(2, "none"));
  CHECK(x == std::vector<float>{0.3125F, 0.125F});  // two of three
  cells.pulse(0, 0, x, std::vector<float>{3, 1}, none, RandomStream(3, "none"));
  CHECK(x == std::vector<float>{0.3125F, 0.1875F});
  CHECK(cells.state().used(0, 0) == 9);
}

TEST_CASE("device/pulsed_cells: a restored object goes on bit for bit", "[device][pulse]") {
  PulseDevice device = device_with(make_pulse_model("soft-bounds"));
  roughen(device);
  device.noise.write = 0.1;
  device.endurance = {.pulses = 6, .deviation = 0.5};
  const Index length = 500;
  const std::vector<float> up = some_pulses(500, "up", 4);
  const std::vector<float> down = some_pulses(500, "down", 4);
  PulsedCells first = cells_of(device, 2, length);
  std::vector<float> x = some_states(500);
  first.set(1, 0, x);
  first.pulse(1, 0, x, up, down, RandomStream(1, "noise"));
  const PulsedCells::State kept = first.state();
  PulsedCells second = cells_of(device, 2, length);
  second.restore(kept);
  std::vector<float> y = x;
  first.pulse(1, 0, x, up, down, RandomStream(2, "noise"));
  second.pulse(1, 0, y, up, down, RandomStream(2, "noise"));
  CHECK(x == y);
  CHECK(first.state().hidden == second.state().hidden);
  CHECK(first.state().used == second.state().used);

  CHECK(xbar_test::message_of<xbar::InvalidArgument>([&] { second.restore({}); }) ==
        "pulsed cells: hidden states: expected 2 x 500, got 0 x 0");
  CHECK(cells_of(device_with(make_pulse_model("linear")), 2, 3).state().hidden.size() == 0);
}

TEST_CASE("device/pulsed_cells: write noise hides the state that pulses act on",
          "[device][pulse]") {
  PulseDevice device = device_with(make_pulse_model("linear", {{"up_step", 0.0625}}));
  device.noise.write = 0.05;
  const std::size_t count = 20000;
  PulsedCells cells = cells_of(device, 1, count);
  std::vector<float> x(count, 0.25F);
  cells.set(0, 0, x);
  std::vector<float> up(count, 1);
  up[7] = 0;
  const std::vector<float> none(count, 0);
  cells.pulse(0, 0, x, up, none, RandomStream(1, "noise"));
  CHECK(x[7] == 0.25F);
  const MatrixF hidden = cells.state().hidden;
  CHECK(hidden(0, 0) == 0.3125F);
  double mean = 0;
  double square = 0;
  for (std::size_t k = 0; k < count; ++k) {
    if (k == 7) continue;
    mean += (x[k] - 0.3125) / static_cast<double>(count - 1);
    square += std::pow(x[k] - 0.3125, 2) / static_cast<double>(count - 1);
  }
  // Standard errors 0.05/sqrt(20000) and 1/sqrt(40000) of the deviation: six of each.
  CHECK_THAT(mean, WithinAbs(0, 6 * 0.05 / std::sqrt(20000.0)));
  CHECK_THAT(std::sqrt(square), WithinAbs(0.05, 6 * 0.05 * 0.005));
}
