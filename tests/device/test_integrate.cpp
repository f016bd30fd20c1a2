#include <cmath>
#include <limits>
#include <map>
#include <random>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/integrate.hpp>

#include "support/catch.hpp"

using xbar::device::dynamic_model_names;
using xbar::device::dynamic_model_waveform;
using xbar::device::DynamicCell;
using xbar::device::integrate;
using xbar::device::IntegrateOptions;
using xbar::device::Integrator;
using xbar::device::make_dynamic_cell;
using xbar::device::parse_waveform;
using xbar::device::Trace;
using xbar::device::Waveform;
using xbar_test::Contains;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

std::vector<double> start(const DynamicCell& cell) {
  return cell.state_of_fraction(cell.set_sign() > 0 ? 0 : 1);
}

Trace sweep(const std::string& name, const IntegrateOptions& options = {}) {
  const auto cell = make_dynamic_cell(name);
  return integrate(*cell, parse_waveform(dynamic_model_waveform(name)), start(*cell), options);
}

/// Area that the I-V curve encloses, watt, its two lobes taken together.
double loop_area(const Trace& trace) {
  double area = 0;
  for (std::size_t k = 1; k < trace.time_second.size(); ++k) {
    const double mean = (trace.current_ampere[k] + trace.current_ampere[k - 1]) / 2;
    const double step = trace.voltage_volt[k] - trace.voltage_volt[k - 1];
    // The lobes are run through in opposite senses.
    area += (trace.voltage_volt[k] + trace.voltage_volt[k - 1] > 0 ? 1 : -1) * mean * step;
  }
  return std::abs(area);
}

}  // namespace

TEST_CASE("device/integrate: VTEAM at constant voltage is a straight line to the bound",
          "[device]") {
  // 0.1 V: 2e-3 m/s, so 3 nm take 1.5 us; then x rests.
  const auto cell = make_dynamic_cell("vteam");
  for (const Integrator integrator : {Integrator::dormand_prince, Integrator::rosenbrock}) {
    IntegrateOptions options;
    options.integrator = integrator;
    options.times = {0, 0.3e-6, 1.2e-6, 1.6e-6, 2e-6};
    const Trace trace =
        integrate(*cell, Waveform::dc(0.1, 2e-6), cell->state_of_fraction(1), options);
    for (std::size_t k = 0; k < options.times.size(); ++k) {
      const double expected = std::min(2e-3 * options.times[k], 3e-9);
      REQUIRE_THAT(trace.state(static_cast<xbar::Index>(k), 0), WithinAbs(expected, 1e-9 * 3e-9));
    }
    REQUIRE(trace.report.bounds_hit == 1);
    REQUIRE(trace.report.end_state == cell->state_of_fraction(0));
    // v^2 int dt/(50 + 950 t/t1) + v^2 (T - t1)/1000 = v^2 (t1 ln(20)/950 + (T - t1)/1000).
    const double joule = 0.01 * (1.5e-6 * std::log(20.0) / 950 + 0.5e-6 / 1000);
    REQUIRE_THAT(trace.report.energy_joule, WithinRel(joule, 1e-6));
  }
}

TEST_CASE("device/integrate: VTEAM under a ramp, thresholds and powers, in closed form",
          "[device]") {
  // v = -r t, r = 1 V/us: x = d - int 10 (v/0.2 - 1)^3 dt = d - 10 (0.2/r) s^4/4, s = |v|/0.2 - 1,
  // and at 0.24 V s = 0.2: 8e-10 m.
  const auto cell = make_dynamic_cell("vteam");
  for (const Integrator integrator : {Integrator::dormand_prince, Integrator::rosenbrock}) {
    IntegrateOptions options;
    options.integrator = integrator;
    const Trace trace =
        integrate(*cell, Waveform::ramp(0, -0.24, 0, 0.24e-6), cell->state_of_fraction(0), options);
    REQUIRE_THAT(3e-9 - trace.report.end_state[0], WithinRel(8e-10, 1e-5));
  }
}

TEST_CASE("device/integrate: loops are pinched, open, and closed by high frequency", "[device]") {
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    const Waveform once = parse_waveform(dynamic_model_waveform(name));
    CAPTURE(name);
    IntegrateOptions options;
    const std::vector<double> corners = once.breakpoints();
    const double high = once.value(corners[0]);
    const double low = once.value(corners[1]);
    const double zero = corners[0] + (corners[1] - corners[0]) * high / (high - low);
    options.times = {0, zero, once.duration()};
    const Trace pinch = integrate(*cell, once, cell->state_of_fraction(0.5), options);
    for (const double current : pinch.current_ampere) REQUIRE_THAT(current, WithinAbs(0, 1e-15));
    // The same voltages at a tenth of the amplitude's thresholds or 1e9 times the rate move
    // nothing.
    const double slow = loop_area(sweep(name));
    std::vector<std::pair<double, double>> points;
    points.emplace_back(0, 0);
    for (const double time : once.breakpoints()) points.emplace_back(time * 1e-9, once.value(time));
    points.emplace_back(once.duration() * 1e-9, 0);
    const Trace fast = integrate(*cell, Waveform::piecewise_linear(points), start(*cell), {});
    REQUIRE(slow > 0);
    REQUIRE(loop_area(fast) < 0.05 * slow);
  }
}

TEST_CASE("device/integrate: two tolerances and two integrators agree", "[device]") {
  for (const std::string& name : dynamic_model_names()) {
    CAPTURE(name);
    IntegrateOptions fine;
    fine.tolerance = 1e-9;
    IntegrateOptions coarse;
    coarse.tolerance = 1e-6;
    const auto cell = make_dynamic_cell(name);
    const double duration = parse_waveform(dynamic_model_waveform(name)).duration();
    for (int k = 0; k <= 40; ++k) fine.times.push_back(duration * k / 40);
    fine.times.back() = duration;
    coarse.times = fine.times;
    const Trace a = sweep(name, fine);
    const Trace b = sweep(name, coarse);
    const double range = std::abs(cell->states()[0].on - cell->states()[0].off);
    // Local errors of 1e-6 add up, and switching amplifies them while it lasts.
    REQUIRE((a.state - b.state).cwiseAbs().maxCoeff() <= 1e-3 * range);
    REQUIRE_THAT(b.report.energy_joule, WithinRel(a.report.energy_joule, 1e-4));
    REQUIRE(a.report.steps > b.report.steps);
    if (name == "stanford-pku") continue;  // slides along its threshold: too stiff for the other
    coarse.integrator = cell->stiff() ? Integrator::dormand_prince : Integrator::rosenbrock;
    const Trace other = sweep(name, coarse);
    REQUIRE((a.state - other.state).cwiseAbs().maxCoeff() <= 1e-3 * range);
    REQUIRE_THAT(other.report.energy_joule, WithinRel(a.report.energy_joule, 1e-4));
  }
}

TEST_CASE("device/integrate: the state keeps its bounds, the energy is the integral of v i",
          "[device]") {
  constexpr unsigned seed = 11;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  const std::map<std::string, std::pair<double, double>> scale = {{"vteam", {0.5, 1e-7}},
                                                                  {"yakopcic", {1.5, 0.02}},
                                                                  {"stanford-pku", {1.7, 1e-5}},
                                                                  {"jart-vcm-v1b", {1.2, 1e-3}}};
  for (const std::string& name : dynamic_model_names()) {
    CAPTURE(name);
    const auto cell = make_dynamic_cell(name);
    const auto [volt, second] = scale.at(name);
    std::vector<std::pair<double, double>> points;
    for (int k = 0; k < 12; ++k) points.emplace_back(second * k, volt * uniform(random));
    const Waveform waveform = Waveform::piecewise_linear(points);
    IntegrateOptions options;
    constexpr int count = 200000;
    for (int k = 0; k <= count; ++k) {
      options.times.push_back(std::min(waveform.duration() * k / count, waveform.duration()));
    }
    const Trace trace = integrate(*cell, waveform, cell->state_of_fraction(0.5), options);
    REQUIRE(trace.time_second.size() == options.times.size());
    const auto& s = cell->states()[0];
    REQUIRE(trace.state.minCoeff() >= s.lower());
    REQUIRE(trace.state.maxCoeff() <= s.upper());
    REQUIRE(trace.state.maxCoeff() > trace.state.minCoeff());
    double joule = 0;
    for (std::size_t k = 1; k < trace.time_second.size(); ++k) {
      joule += (trace.time_second[k] - trace.time_second[k - 1]) / 2 *
               (trace.voltage_volt[k] * trace.current_ampere[k] +
                trace.voltage_volt[k - 1] * trace.current_ampere[k - 1]);
    }
    // Abrupt switching puts some points on either side of a step of the power.
    REQUIRE_THAT(trace.report.energy_joule, WithinRel(joule, 1e-4));
  }
}

TEST_CASE("device/integrate: pulses add up; a jump is reported from both sides", "[device]") {
  // 3 pulses of 0.1 us at 0.1 V: 2e-3 m/s each.
  const auto cell = make_dynamic_cell("vteam");
  const Trace trace =
      integrate(*cell, parse_waveform("pulse:high=0.1,width=1e-7,delay=1e-7,period=1e-3,count=3"),
                cell->state_of_fraction(1), {});
  REQUIRE_THAT(trace.report.end_state[0], WithinRel(6e-10, 1e-9));
  int jumps = 0;
  for (std::size_t k = 1; k < trace.time_second.size(); ++k) {
    if (trace.time_second[k] != trace.time_second[k - 1]) continue;
    ++jumps;
    REQUIRE_THAT(std::abs(trace.voltage_volt[k] - trace.voltage_volt[k - 1]),
                 WithinAbs(0.1, 1e-15));
  }
  REQUIRE(jumps == 6);
}

TEST_CASE("device/integrate: refuses what it cannot do, and stops when told to", "[device]") {
  const auto cell = make_dynamic_cell("vteam");
  const Waveform dc = Waveform::dc(0.1, 1e-6);
  const auto fails = [&](IntegrateOptions options, std::vector<double> initial,
                         const std::string& part) {
    REQUIRE_THROWS_WITH(integrate(*cell, dc, initial, options), Contains(part));
  };
  fails({.tolerance = 0}, {0}, "tolerance: expected");
  fails({.tolerance = std::nan("")}, {0}, "tolerance: expected");
  fails({.times = {0, 2e-6}}, {0}, "times: expected ascending");
  fails({.times = {1e-7, 1e-8}}, {0}, "times: expected ascending");
  fails({}, {0, 0}, "initial: expected 1 states, got 2");
  fails({}, {4e-9}, "initial: position_metre: expected 0 to 3e-09, got 4e-09");
  fails({.most_steps = 10}, {0}, "10 steps have come to t =");
  IntegrateOptions stop;
  stop.stop_at_fraction = 0.75;
  const auto report = integrate(*cell, dc, cell->state_of_fraction(1), stop).report;
  REQUIRE(report.stopped);
  // A quarter of 1.5 us.
  REQUIRE_THAT(report.end_second, WithinRel(0.375e-6, 1e-9));
  IntegrateOptions interrupted;
  interrupted.progress = [](const xbar::Progress&) { throw xbar::Interrupted("stop"); };
  REQUIRE_THROWS_AS(integrate(*cell, dc, cell->state_of_fraction(1), interrupted),
                    xbar::Interrupted);
  REQUIRE(xbar::device::parse_integrator("rosenbrock") == Integrator::rosenbrock);
  REQUIRE_THROWS_WITH(xbar::device::parse_integrator("rosenbrok"), Contains("did you mean"));
}

TEST_CASE("device/integrate: short stretches take few steps and come to the same state",
          "[device]") {
  // 1 % of the way and less: what an array's macro steps ask for thousands of times.
  const std::map<std::string, std::pair<double, double>> pulse = {{"vteam", {-0.25, 2e-10}},
                                                                  {"yakopcic", {1.0, 1e-4}},
                                                                  {"stanford-pku", {1.5, 8e-10}},
                                                                  {"jart-vcm-v1b", {-0.7, 1e-9}}};
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    const auto [volt, second] = pulse.at(name);
    std::vector<double> state = cell->state_of_fraction(0.3);
    const Trace whole =
        integrate(*cell, Waveform::ramp(volt, 0.99 * volt, 0, second), state, {.tolerance = 1e-9});
    xbar::device::CellIntegrator integrator(*cell, 1e-7);
    const xbar::device::CellMove move = integrator.move(volt, 0.99 * volt, second, 0, state);
    CAPTURE(name, move.steps, move.evaluations);
    const double way = std::abs(cell->fraction(state) - 0.3);
    CAPTURE(way);
    REQUIRE(way > 1e-7);
    REQUIRE(way <= 0.01);
    CHECK_THAT(state[0], WithinRel(whole.report.end_state[0], 1e-6));
    CHECK_THAT(move.joule, WithinRel(whole.report.energy_joule, 1e-5));
    // integrate() takes 50 steps at least.
    CHECK(move.steps <= 5);
    CHECK(move.evaluations * 8 <= whole.report.evaluations);
  }
}
