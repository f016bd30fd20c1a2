// Many cells against the slow plain reference, and what the draws of a device spread like.

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include <xbar/device/pulsed_cells.hpp>

#include "support/catch.hpp"
#include "support/plain_pulses.hpp"

using xbar::Index;
using xbar::RandomStream;
using xbar::device::make_pulse_model;
using xbar::device::PulsedCells;
using xbar::device::PulseDevice;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

constexpr std::size_t count = 20000;

struct Moments {
  double mean = 0;
  double deviation = 0;
};

template <typename Value>
Moments moments(const std::vector<Value>& values) {
  double mean = 0;
  for (const Value value : values) mean += static_cast<double>(value);
  mean /= static_cast<double>(values.size());
  double square = 0;
  for (const Value value : values) square += std::pow(static_cast<double>(value) - mean, 2);
  return {mean, std::sqrt(square / static_cast<double>(values.size()))};
}

// The largest distance between the two cumulative distributions.
double kolmogorov_smirnov(std::vector<float> a, std::vector<float> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  double largest = 0;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const float x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= x) ++i;
    while (j < b.size() && b[j] <= x) ++j;
    largest = std::max(largest, std::abs(static_cast<double>(i) - static_cast<double>(j)));
  }
  return largest / static_cast<double>(a.size());
}

PulseDevice device_with(const std::string& model, const std::map<std::string, double>& parameters) {
  PulseDevice device;
  device.g_min_siemens = 1e-6;
  device.g_max_siemens = 1e-5;
  device.model = make_pulse_model(model, parameters);
  device.parameters = parameters;
  return device;
}

std::vector<float> pulsed(PulsedCells& cells, float from, float up, float down,
                          const RandomStream& noise) {
  std::vector<float> x(count, from);
  cells.set(0, 0, x);
  cells.pulse(0, 0, x, std::vector<float>(count, up), std::vector<float>(count, down), noise);
  return x;
}

PulsedCells cells_of(const PulseDevice& device) {
  return {std::make_shared<const PulseDevice>(device), 1, static_cast<Index>(count),
          RandomStream(3, "cells")};
}

}  // namespace

TEST_CASE("device/pulsed_statistics: without noise several pulses are the mean over their orders",
          "[device][pulse]") {
  std::mt19937_64 generator(11);
  struct Row {
    PulseDevice device;
    double x;
    int up;
    int down;
  };
  const Row rows[] = {
      {device_with("soft-bounds", {}), 0.3, 5, 3},
      {device_with("soft-bounds", {{"up_step", 0.03}, {"down_step", 0.02}}), 0.2, 40, 25},
      {device_with("neurosim", {}), 0.4, 4, 7},
      {device_with("neurosim", {}), 0.1, 60, 20},
      {device_with("exponential", {{"up_amplitude", 1.2}, {"down_amplitude", 12}}), 0.6, 30, 30},
      {device_with("power", {{"up_exponent", 2}}), 0.25, 12, 5},
      {device_with("symmetric", {{"nonlinearity", 4}}), 0.5, 20, 4},
  };
  for (const Row& row : rows) {
    std::vector<double> plain(4000);
    for (double& x : plain) {
      x = xbar_test::plain_pulses(row.device, row.x, row.up, row.down, generator);
    }
    const Moments expected = moments(plain);
    PulsedCells cells = cells_of(row.device);
    const float found = pulsed(cells, static_cast<float>(row.x), static_cast<float>(row.up),
                               static_cast<float>(row.down), RandomStream(1, "none"))
                            .front();
    // Third order, of n steps that change by up to 0.1 in an event: (0.1)^2/6 of the way gone, and
    // five standard errors of the reference.
    double gone = 0;
    for (const double x : {row.x, expected.mean}) {
      gone = std::max(
          gone, row.up * row.device.model->up_step(x) + row.down * row.device.model->down_step(x));
    }
    CAPTURE(row.device.model->name(), row.up, row.down, expected.mean, found, gone);
    CHECK_THAT(found, WithinAbs(expected.mean,
                                0.01 / 6 * gone + 5 * expected.deviation / std::sqrt(4000.0)));
    // What the first order alone would say is off by more.
    const double first = row.x + row.up * row.device.model->up_step(row.x) -
                         row.down * row.device.model->down_step(row.x);
    CHECK(std::abs(first - expected.mean) > 2 * std::abs(found - expected.mean));
  }
}

TEST_CASE("device/pulsed_statistics: the noise has the law of pulses one by one",
          "[device][pulse]") {
  struct Row {
    const char* model;
    double x;
    int up;
    int down;
    double step;
    double range;
  };
  for (const Row& row :
       {Row{"soft-bounds", 0.3, 1, 0, 0.5, 0}, Row{"soft-bounds", 0.3, 3, 2, 0.5, 0},
        Row{"soft-bounds", 0.5, 2, 2, 5, 0}, Row{"linear", 0.4, 0, 6, 0.3, 0.004},
        Row{"exponential", 0.6, 4, 1, 2, 0}, Row{"neurosim", 0.5, 3, 1, 0, 0.035},
        Row{"linear", 0.01, 2, 2, 0, 0.01}}) {
    PulseDevice device = device_with(row.model, {});
    device.noise.step = row.step;
    device.noise.range = row.range;
    std::mt19937_64 generator(23);
    std::vector<float> plain(count);
    for (float& x : plain) {
      x = static_cast<float>(xbar_test::plain_pulses(device, row.x, row.up, row.down, generator));
    }
    PulsedCells cells = cells_of(device);
    const std::vector<float> found =
        pulsed(cells, static_cast<float>(row.x), static_cast<float>(row.up),
               static_cast<float>(row.down), RandomStream(2, "noise"));
    const Moments expected = moments(plain);
    const Moments own = moments(found);
    CAPTURE(row.model, row.up, row.down, expected.mean, expected.deviation, own.mean,
            own.deviation);
    if (row.x > 0.1) {
      // Two samples: five standard errors of the difference of the means, and of the deviations,
      // 1/sqrt(2 n) of them each; one hundredth more for the steps' change within the event.
      CHECK_THAT(own.mean, WithinAbs(expected.mean, 5 * expected.deviation * 0.01));
      CHECK_THAT(own.deviation, WithinRel(expected.deviation, 5 * 0.00707 + 0.01));
      // At the level 10^-4 the distance of two samples is 2.23 sqrt(2/n).
      CHECK(kolmogorov_smirnov(plain, found) <= 2.23 * std::sqrt(2.0 / count));
    }
    CHECK(*std::min_element(found.begin(), found.end()) >= 0);
    CHECK(*std::max_element(found.begin(), found.end()) <= 1);
  }
}

TEST_CASE("device/pulsed_statistics: cells and events have draws of their own", "[device][pulse]") {
  PulseDevice device = device_with("linear", {});
  device.noise.step = 0.5;
  PulsedCells cells = cells_of(device);
  const std::vector<float> a = pulsed(cells, 0.5F, 1, 0, RandomStream(1, "noise"));
  const std::vector<float> b = pulsed(cells, 0.5F, 1, 0, RandomStream(2, "noise"));
  CHECK(a == pulsed(cells, 0.5F, 1, 0, RandomStream(1, "noise")));
  // Correlations of 20,000: standard error 0.007.
  const Moments of_a = moments(a);
  const Moments of_b = moments(b);
  double across = 0;
  double along = 0;
  for (std::size_t k = 0; k + 1 < count; ++k) {
    across += (a[k] - of_a.mean) * (b[k] - of_b.mean);
    along += (a[k] - of_a.mean) * (a[k + 1] - of_a.mean);
  }
  CHECK_THAT(across / count / of_a.deviation / of_b.deviation, WithinAbs(0, 0.035));
  CHECK_THAT(along / count / of_a.deviation / of_a.deviation, WithinAbs(0, 0.035));
}

TEST_CASE("device/pulsed_statistics: the spread of steps and bounds is what the device says",
          "[device][pulse]") {
  PulseDevice device = device_with("linear", {});
  device.spread = {.step = 0.2, .up_down = 0.05, .lower = 0.02, .upper = 0.06};
  PulsedCells cells = cells_of(device);
  std::vector<float> lower(count, -1);
  std::vector<float> upper(count, 2);
  cells.set(0, 0, lower);
  cells.set(0, 0, upper);
  const std::vector<float> up = pulsed(cells, 0.5F, 1, 0, RandomStream(1, "none"));
  const std::vector<float> down = pulsed(cells, 0.5F, 0, 1, RandomStream(1, "none"));
  std::vector<double> step;
  std::vector<double> difference;
  for (std::size_t k = 0; k < count; ++k) {
    const double width = upper[k] - lower[k];
    const double a = (up[k] - 0.5) / width / 0.01;
    const double b = (0.5 - down[k]) / width / 0.01;
    step.push_back((a + b) / 2);
    difference.push_back((a - b) / (a + b));
  }
  // Six standard errors: 1/sqrt(20000) of the deviation for means, 1/sqrt(40000) for deviations;
  // a step of 0.01 is known to 2^-24 / 0.01 = 6e-6.
  const auto check = [](const Moments& found, double mean, double deviation) {
    CHECK_THAT(found.mean, WithinAbs(mean, 6 * deviation / std::sqrt(20000.0)));
    CHECK_THAT(found.deviation, WithinRel(deviation, 6 * 0.005));
  };
  check(moments(step), 1, 0.2);
  check(moments(difference), 0, 0.05);
  check(moments(lower), 0, 0.02);
  check(moments(upper), 1, 0.06);
}

TEST_CASE("device/pulsed_statistics: labels of non-linearity spread", "[device][pulse]") {
  // A step at x = 0 of a label L: (1 - exp(-nu/100))/(1 - exp(-nu)), rising with L. By the delta
  // method its deviation is that of the label times the slope, to second order (0.1^2).
  PulseDevice device = device_with("neurosim", {{"up_nonlinearity", 2.4}, {"up_pulses", 100}});
  device.spread.nonlinearity = 0.05;
  PulsedCells cells = cells_of(device);
  const Moments found = moments(pulsed(cells, 0, 1, 0, RandomStream(1, "none")));
  const auto step_of = [](double label) {
    return make_pulse_model("neurosim", {{"up_nonlinearity", label}, {"up_pulses", 100}})
        ->up_step(0);
  };
  const double slope = (step_of(2.45) - step_of(2.35)) / 0.1;
  CHECK_THAT(found.mean, WithinRel(step_of(2.4), 0.003));
  CHECK_THAT(found.deviation, WithinRel(0.05 * slope, 0.05));
}

TEST_CASE("device/pulsed_statistics: lives are lognormal about their median", "[device][pulse]") {
  PulseDevice device = device_with("linear", {{"up_step", 1e-4}});
  device.endurance = {.pulses = 1000, .deviation = 0.5};
  PulsedCells cells = cells_of(device);
  // Up 10^-4 a pulse until worn: the state says how many it stood.
  std::vector<float> lives = pulsed(cells, 0, 9000, 0, RandomStream(1, "none"));
  for (float& x : lives) x = std::log(x * 1e4F);
  const Moments found = moments(lives);
  CHECK_THAT(found.mean, WithinAbs(std::log(1000.0), 6 * 0.5 / std::sqrt(20000.0)));
  CHECK_THAT(found.deviation, WithinRel(0.5, 6 * 0.005));
}
