#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/interruption.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/device/pulse_device.hpp>
#include <xbar/fit/pulse_fit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "synthetic.hpp"

using xbar::InvalidArgument;
using xbar::fit::fit_pulses;
using xbar::fit::PulseFit;
using xbar::fit::PulseFitOptions;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::Synthetic;
using xbar_test::WithinRel;

namespace {

struct Case {
  std::string model;
  std::map<std::string, double> parameters;  ///< the estimated ones
  bool range_given = false;                  ///< where the model's steps do not show the range
};

// Steps large enough to cross most of the range in 100 pulses, small enough that the bounds do not
// clip the noise: a clipped walk has another mean.
std::vector<Case> cases() {
  return {{"linear", {{"up_step", 0.008}, {"down_step", 0.0075}}, true},
          {"asymmetric", {{"nonlinearity", 2}, {"pulses", 120}}, true},
          {"neurosim",
           {{"up_nonlinearity", 2.4},
            {"down_nonlinearity", -1.75},
            {"up_pulses", 110},
            {"down_pulses", 130}},
           true},
          {"symmetric", {{"nonlinearity", 2}, {"pulses", 120}}, true},
          {"soft-bounds", {{"up_step", 0.03}, {"down_step", 0.025}}},
          {"power",
           {{"up_step", 0.03}, {"up_exponent", 1.4}, {"down_step", 0.03}, {"down_exponent", 1.3}},
           true},
          {"exponential",
           {{"up_step", 0.003},
            {"up_amplitude", 6},
            {"up_rate", 4},
            {"down_step", 0.003},
            {"down_amplitude", 5},
            {"down_rate", 4}},
           true}};
}

PulseFitOptions options_of(const Case& c, const Synthetic& device) {
  PulseFitOptions options;
  options.models = {c.model};
  options.folds = 2;
  if (c.range_given) {
    options.g_min_siemens = device.g_min;
    options.g_max_siemens = device.g_max;
  }
  return options;
}

Synthetic device_of(const Case& c) {
  Synthetic device;
  device.model = xbar::device::make_pulse_model(c.model, c.parameters);
  return device;
}

}  // namespace

TEST_CASE("fit/pulse_fit: without noise the parameters come back", "[fit]") {
  for (const Case& c : cases()) {
    CAPTURE(c.model);
    Synthetic device = device_of(c);
    device.step_noise = 0;
    device.read_noise = 0;
    const PulseFit fit = fit_pulses(device.data(1), options_of(c, device));
    const auto& found = fit.models.front();
    REQUIRE(found.converged);
    for (const auto& e : found.parameters) {
      CAPTURE(e.name, e.value);
      // The least squares stop where the cost falls by less than 1e-8 of itself a step.
      REQUIRE_THAT(e.value, WithinRel(c.parameters.at(e.name), 1e-3));
    }
    REQUIRE(found.curve_rms < 1e-4);
    REQUIRE_THAT(found.g_max.value, WithinRel(device.g_max, 1e-3));
  }
}

TEST_CASE("fit/pulse_fit: intervals of 95 % hold the truth in 95 % of the seeds", "[fit]") {
  // Of 20 independent seeds an interval that holds with 0.95 misses more than 4 with probability
  // 0.0026; 26 parameters and bounds are looked at.
  constexpr int seeds = 20;
  constexpr int most_missed = 4;
  for (const Case& c : cases()) {
    std::map<std::string, int> missed;
    const Synthetic device = device_of(c);
    for (int seed = 1; seed <= seeds; ++seed) {
      const PulseFit fit = fit_pulses(device.data(seed), options_of(c, device));
      const auto& found = fit.models.front();
      auto look = [&](const xbar::fit::Estimate& e, double truth) {
        if (!(e.low <= truth && truth <= e.high)) ++missed[e.name];
      };
      for (const auto& e : found.parameters) look(e, c.parameters.at(e.name));
      if (!c.range_given) {
        look(found.g_min, device.g_min);
        look(found.g_max, device.g_max);
      }
    }
    for (const auto& [name, count] : missed) {
      CAPTURE(c.model, name, count);
      CHECK(count <= most_missed);
    }
  }
}

TEST_CASE("fit/pulse_fit: the steps of very noisy pulses are found with their error", "[fit]") {
  // 3.5 % of the range a pulse, NeuroSim's Ag:a-Si: no two curves are alike.
  constexpr int seeds = 20;
  int missed = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    Synthetic device;
    device.model =
        xbar::device::make_pulse_model("soft-bounds", {{"up_step", 0.03}, {"down_step", 0.03}});
    device.step_noise = 0;
    device.range_noise = 0.02;
    PulseFitOptions options;
    options.models = {"soft-bounds"};
    options.folds = 2;
    options.to_steps = true;
    options.g_min_siemens = device.g_min;
    options.g_max_siemens = device.g_max;
    const PulseFit fit = fit_pulses(device.data(seed), options);
    for (const auto& e : fit.models.front().parameters) {
      if (!(e.low <= 0.03 && 0.03 <= e.high)) ++missed;
    }
    CHECK(fit.models.front().gain > 0.8);
    // Relative error of a deviation from 800 innovations: 2.5 %; five times that.
    CHECK_THAT(fit.noise.pulse.range, WithinRel(device.range_noise, 0.125));
    CHECK(fit.noise.pulse.step == 0);
  }
  // 40 intervals: more than 7 with probability 0.0014.
  CHECK(missed <= 7);
}

TEST_CASE("fit/pulse_fit: the noise of pulses and of readings is told apart", "[fit]") {
  Synthetic device;
  // Steps that differ in size by a factor of 8 show that the noise goes with them.
  device.model =
      xbar::device::make_pulse_model("asymmetric", {{"nonlinearity", 3}, {"pulses", 100}});
  device.step_noise = 0.5;
  device.read_noise = 0.001;
  device.cycles = 10;
  PulseFitOptions options;
  options.models = {"asymmetric"};
  options.g_min_siemens = device.g_min;
  options.g_max_siemens = device.g_max;
  const PulseFit fit = fit_pulses(device.data(3), options);
  CAPTURE(fit.noise.pulse.step, fit.noise.pulse.range, fit.noise.pulse.write);
  CHECK(fit.noise.step_likelihood > 0);
  CHECK(fit.noise.pulse.range == 0);
  // The constant gain is that of the mean noise: a third off is what the approximation does.
  CHECK_THAT(fit.noise.pulse.step, WithinRel(0.5, 0.33));
  // Readings alone: the walk is gone.
  device.step_noise = 0;
  device.read_noise = 0.02;
  const PulseFit still = fit_pulses(device.data(4), options);
  // 2000 readings: 1.6 %; five times that. What is taken for a walk is less than a tenth of it.
  CHECK_THAT(still.noise.pulse.write, WithinRel(0.02, 0.08));
  CHECK(std::hypot(still.noise.pulse.range, still.noise.pulse.step * 0.01) < 0.002);
}

TEST_CASE("fit/pulse_fit: the spread of devices is theirs, not that of their estimates", "[fit]") {
  Synthetic device;
  device.model =
      xbar::device::make_pulse_model("asymmetric", {{"nonlinearity", 2}, {"pulses", 120}});
  device.devices = 40;
  device.cycles = 1;
  device.step_spread = 0.1;
  PulseFitOptions options;
  options.models = {"asymmetric"};
  options.g_min_siemens = device.g_min;
  options.g_max_siemens = device.g_max;
  const PulseFit fit = fit_pulses(device.data(5), options);
  CHECK(fit.noise.devices == 40);
  // A deviation of 40 draws is known to 1 / sqrt(80) = 11 %; three times that.
  CHECK_THAT(fit.noise.spread.step, WithinRel(0.1, 0.34));
  CHECK(fit.noise.spread.up_down < 0.03);
  CHECK(fit.held_out_curves);
  // Devices alike: estimates scatter by some percent each.
  device.step_spread = 0;
  CHECK(fit_pulses(device.data(6), options).noise.spread.step < 0.02);
}

TEST_CASE("fit/pulse_fit: the model that made the readings is chosen", "[fit]") {
  const std::vector<std::pair<std::string, std::map<std::string, double>>> makers = {
      {"linear", {{"up_step", 0.009}, {"down_step", 0.007}}},
      {"symmetric", {{"nonlinearity", 4}, {"pulses", 110}}},
      {"soft-bounds", {{"up_step", 0.04}, {"down_step", 0.02}}},
      {"power",
       {{"up_step", 0.05}, {"up_exponent", 3}, {"down_step", 0.05}, {"down_exponent", 3}}}};
  for (const auto& [name, parameters] : makers) {
    Synthetic device;
    device.model = xbar::device::make_pulse_model(name, parameters);
    device.step_noise = 0.1;
    device.cycles = 20;
    PulseFitOptions options;
    options.g_min_siemens = device.g_min;
    options.g_max_siemens = device.g_max;
    const PulseFit fit = fit_pulses(device.data(7), options);
    std::string errors;
    for (const auto& m : fit.models) {
      errors += m.name + " " + std::to_string(1e6 * m.excess) + " +- " +
                std::to_string(1e6 * m.excess_error) + ", ";
    }
    CAPTURE(name, errors);
    CHECK(fit.models[fit.best].name == name);
    // What goes into a device file comes back.
    const auto text = xbar::device::to_toml(fit.device);
    const auto again = xbar::device::parse_pulse_device(text, "device.toml");
    CHECK(again.model->name() == name);
    CHECK_THAT(again.model->up_step(0.3), WithinRel(fit.device.model->up_step(0.3), 1e-12));
    CHECK_THAT(again.g_max_siemens, WithinRel(fit.device.g_max_siemens, 1e-12));
  }
}

TEST_CASE("fit/pulse_fit: pulses upwards alone are a one-way device", "[fit]") {
  Synthetic device;
  device.model = xbar::device::make_pulse_model("linear", {{"up_step", 0.008}});
  auto data = device.data(8);
  for (auto& curve : data.curves) {
    curve.up.resize(100);
    curve.siemens.resize(100);
  }
  PulseFitOptions options;
  options.models = {"linear"};
  const PulseFit fit = fit_pulses(data, options);
  CHECK(fit.device.one_way);
  CHECK(std::isnan(fit.models.front().parameters.at(1).low));
  for (auto& curve : data.curves) curve.up.assign(100, false);
  CHECK(contains(message_of<InvalidArgument>([&] { (void)fit_pulses(data, options); }),
                 "expected pulses upwards, found none"));
}

TEST_CASE("fit/pulse_fit: options out of range are named", "[fit]") {
  Synthetic device;
  device.model = xbar::device::make_pulse_model("linear");
  const auto data = device.data(9);
  const auto message = [&](const PulseFitOptions& options) {
    return message_of<InvalidArgument>([&] { (void)fit_pulses(data, options); });
  };
  PulseFitOptions options;
  options.folds = 1;
  CHECK(contains(message(options), "folds: expected 2 to 20, found 1"));
  options = {};
  options.g_min_siemens = 2e-6;
  CHECK(contains(message(options), "expected both or none"));
  options.g_max_siemens = 1e-6;
  CHECK(contains(message(options), "expected 0 <= g_min < g_max, found 2e-06 and 1e-06"));
  options = {};
  options.models = {"softbounds"};
  CHECK(contains(message(options), "did you mean soft-bounds?"));
}

TEST_CASE("fit/pulse_fit: readings that follow nothing are refused with the reason", "[fit]") {
  // A table of another kind: its values do not follow from each other.
  xbar::fit::PulseData data;
  data.name = "file.csv";
  xbar::fit::PulseCurve curve{"1", "1", {}, {}};
  const std::vector<double> up = {1, 1, 5, 5, 1, 1, 1, 3, 3};
  const std::vector<double> down = {4, 4, 6, 6, 2, 2, 2, 5, 5};
  for (const double g : up) {
    curve.up.push_back(true);
    curve.siemens.push_back(1e-6 * g);
  }
  for (const double g : down) {
    curve.up.push_back(false);
    curve.siemens.push_back(1e-6 * g);
  }
  data.curves = {curve};
  const std::string message = message_of<InvalidArgument>([&] { (void)fit_pulses(data, {}); });
  CAPTURE(message);
  REQUIRE(contains(message, "file.csv: expected readings that follow a model"));
}

TEST_CASE("fit/pulse_fit: what ends the work ends it within the least squares", "[fit]") {
  struct Ended {};
  const Case c = cases().back();
  Synthetic device = device_of(c);
  device.cycles = 20;  // seconds of work; the question is asked every 50 ms
  device.pulses = 1000;
  PulseFitOptions options = options_of(c, device);
  bool shape_done = false;
  options.progress = [&](const xbar::Progress&) { shape_done = true; };
  const auto data = device.data(1);
  int polls = 0;
  const auto fit = [&] {
    const xbar::Interruptible work([&] {
      ++polls;
      throw Ended();
    });
    (void)fit_pulses(data, options);
  };
  REQUIRE_THROWS_AS(fit(), Ended);
  REQUIRE(polls == 1);
  REQUIRE_FALSE(shape_done);
}
