#include <cmath>
#include <map>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/jart_vcm_v1b.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/dynamics/stanford_pku.hpp>
#include <xbar/device/dynamics/vteam.hpp>
#include <xbar/device/dynamics/yakopcic.hpp>

#include "support/catch.hpp"

using xbar::InvalidArgument;
using xbar::device::dynamic_model_names;
using xbar::device::dynamic_model_parameters;
using xbar::device::DynamicCell;
using xbar::device::make_dynamic_cell;
using xbar_test::Contains;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

double rate(const DynamicCell& cell, double volt, double fraction) {
  double result = 0;
  cell.derivative(volt, cell.state_of_fraction(fraction), {&result, 1});
  return result;
}

double ohm(const DynamicCell& cell, double fraction) {
  return 1 / cell.conductance(cell.state_of_fraction(fraction));
}

}  // namespace

TEST_CASE("device/dynamics: no voltage, no current, no motion, in any state", "[device]") {
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    for (const double fraction : {0.0, 0.3, 1.0}) {
      CAPTURE(name, fraction);
      REQUIRE(cell->current(0, cell->state_of_fraction(fraction)) == 0);
      REQUIRE(rate(*cell, 0, fraction) == 0);
    }
  }
}

TEST_CASE("device/dynamics: the slope is the derivative of the current", "[device]") {
  // Central differences with h = 1e-5 |v|: their own error is some h^2 and, from rounding, 1e-16/h.
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    for (const double volt : {-1.4, -0.7, -0.3, -0.05, 0.03, 0.2, 0.6, 1.1}) {
      for (const double fraction : {0.0, 0.02, 0.4, 1.0}) {
        const auto state = cell->state_of_fraction(fraction);
        const double h = 1e-5 * std::abs(volt);
        const double expected =
            (cell->current(volt + h, state) - cell->current(volt - h, state)) / (2 * h);
        CAPTURE(name, volt, fraction);
        REQUIRE_THAT(cell->current_slope(volt, state), WithinRel(expected, 1e-6));
        REQUIRE(cell->current(volt, state) * volt > 0);
      }
    }
    REQUIRE(cell->current_slope(0, cell->state_of_fraction(0.5)) > 0);
  }
}

TEST_CASE("device/dynamics: a state can be chosen by its conductance", "[device]") {
  for (const std::string& name : dynamic_model_names()) {
    const auto cell = make_dynamic_cell(name);
    CAPTURE(name);
    REQUIRE(ohm(*cell, 0) > ohm(*cell, 1));
    const double middle = 1 / std::sqrt(ohm(*cell, 0) * ohm(*cell, 1));
    REQUIRE_THAT(cell->conductance(cell->state_of_conductance(middle)), WithinRel(middle, 1e-10));
    // The ends too, however 1/ohm is rounded.
    for (const double end : {0.0, 1.0}) {
      const auto state = cell->state_of_conductance(1 / ohm(*cell, end));
      REQUIRE_THAT(cell->fraction(state), WithinAbs(end, 1e-12));
    }
    REQUIRE_THROWS_WITH(cell->state_of_conductance(1), Contains("conductance: expected"));
    REQUIRE_THROWS_WITH(cell->state_of_fraction(1.5), Contains("fraction: expected 0 to 1"));
  }
}

TEST_CASE("device/dynamics: names, parameters and values are checked", "[device]") {
  REQUIRE_THROWS_WITH(make_dynamic_cell("vteem"), Contains("did you mean vteam?"));
  for (const std::string& name : dynamic_model_names()) {
    CAPTURE(name);
    for (const auto& parameter : dynamic_model_parameters(name)) {
      CAPTURE(parameter.name);
      REQUIRE_NOTHROW(make_dynamic_cell(name, {{parameter.name, parameter.standard}}));
      REQUIRE_THROWS_WITH(make_dynamic_cell(name, {{parameter.name, std::nan("")}}),
                          Contains(name) && Contains(parameter.name + ": expected"));
    }
    REQUIRE_THROWS_WITH(make_dynamic_cell(name, {{"nonsense_parameter", 1}}),
                        Contains("unknown parameter 'nonsense_parameter'"));
  }
  REQUIRE_THROWS_WITH(make_dynamic_cell("vteam", {{"off_ohms", 1}}),
                      Contains("did you mean off_ohm?"));
  REQUIRE_THROWS_WITH(make_dynamic_cell("vteam", {{"off_ohm", 1}}), Contains("more than on_ohm"));
  REQUIRE_THROWS_WITH(make_dynamic_cell("yakopcic", {{"eta", 2}}), Contains("1 or -1"));
  REQUIRE_THROWS_WITH(make_dynamic_cell("yakopcic", {{"x_p", 1}}), Contains("less than 1"));
}

TEST_CASE("device/dynamics/vteam: worked out by hand", "[device]") {
  const xbar::device::Vteam cell;
  // x = d/4 at fraction 3/4: 50 + 950/4 = 287.5 ohm.
  REQUIRE_THAT(cell.current(0.5, cell.state_of_fraction(0.75)), WithinRel(0.5 / 287.5, 1e-15));
  // k_off (0.1/0.02 - 1) = 2e-3 m/s;  k_on (0.4/0.2 - 1)^3 = -10 m/s.
  REQUIRE_THAT(rate(cell, 0.1, 0.5), WithinRel(2e-3, 1e-14));
  REQUIRE_THAT(rate(cell, -0.4, 0.5), WithinRel(-10, 1e-14));
  for (const double volt : {0.02, 0.01, -0.1, -0.2}) REQUIRE(rate(cell, volt, 0.5) == 0);
  const xbar::device::Vteam exponential({.exponential = 1});
  // Half way: the geometric mean of 50 and 1000 ohm.
  REQUIRE_THAT(ohm(exponential, 0.5), WithinRel(std::sqrt(50 * 1000.0), 1e-14));
}

TEST_CASE("device/dynamics/yakopcic: worked out by hand", "[device]") {
  const xbar::device::Yakopcic cell;
  REQUIRE_THAT(cell.current(0.5, cell.state_of_fraction(1)),
               WithinRel(9e-5 * std::sinh(4.96 * 0.5), 1e-14));
  REQUIRE_THAT(cell.current(-0.5, cell.state_of_fraction(0)),
               WithinRel(-4.4e-7 * std::sinh(2.6 * 0.5), 1e-14));
  for (const double volt : {0.5, 0.3, -0.3, -0.5}) REQUIRE(rate(cell, volt, 0.5) == 0);
  // Below x_p = 0.1 the window is 1; at 0.55 it is exp(-0.45) 0.45/0.9.
  const double speed = 90 * (std::exp(1.0) - std::exp(0.5));
  REQUIRE_THAT(rate(cell, 1, 0.05), WithinRel(speed, 1e-14));
  REQUIRE_THAT(rate(cell, 1, 0.55), WithinRel(speed * std::exp(-0.45) * 0.5, 1e-14));
  REQUIRE(rate(cell, 1, 1) == 0);
  REQUIRE(rate(cell, -1, 0) == 0);
  // Above 1 - x_n = 0.758 it is 1; at 0.379 exp(-0.379)/2.
  REQUIRE_THAT(rate(cell, -1, 0.9), WithinRel(-speed / 9, 1e-14));
  REQUIRE_THAT(rate(cell, -1, 0.379), WithinRel(-speed / 9 * std::exp(-0.379) / 2, 1e-13));
  // The first form of the current, and the other polarity.
  const auto first = make_dynamic_cell("yakopcic", {{"gmin_p_ampere", 0}, {"eta", -1}});
  REQUIRE(first->current(1, first->state_of_fraction(0)) == 0);
  REQUIRE(first->set_sign() == -1);
  REQUIRE(rate(*first, 1, 0.5) < 0);
}

TEST_CASE("device/dynamics/stanford_pku: the published resistances and threshold", "[device]") {
  const xbar::device::StanfordPku cell;
  // Quoted to whole ohms.
  REQUIRE_THAT(ohm(cell, 1), WithinAbs(542, 0.5));
  REQUIRE_THAT(ohm(cell, 0), WithinAbs(218586, 0.5));
  // gamma = 16 - 0.8 1.7^3 = 12.0696 when off: F_min t_ox/gamma = 1.3919 V; gamma = 15.9936 when
  // on: 1.0504 V.
  REQUIRE(rate(cell, 1.3919, 0) == 0);
  REQUIRE(rate(cell, 1.394, 0) < 0);
  REQUIRE(rate(cell, -1.0504, 1) == 0);
  REQUIRE(rate(cell, -1.052, 1) > 0);
  // T = 298 + V I R_th; then -10 exp(-0.6/vt) sinh(gamma a0 V/(t_ox vt)).
  const auto on = cell.state_of_fraction(1);
  const double kelvin = 298 + 1.2 * cell.current(1.2, on) * 2100;
  REQUIRE_THAT(cell.temperature(-1.2, on), WithinRel(kelvin, 1e-14));
  const double vt = 1.380649e-23 / 1.602176634e-19 * kelvin;
  REQUIRE_THAT(
      rate(cell, -1.2, 1),
      WithinRel(10 * std::exp(-0.6 / vt) * std::sinh((16 - 0.8 * 0.008) * 0.25 / 12 * 1.2 / vt),
                1e-10));
}

TEST_CASE("device/dynamics: warmer cells switch faster", "[device]") {
  for (const std::string name : {"stanford-pku", "jart-vcm-v1b"}) {
    const auto cold = make_dynamic_cell(name, {{"ambient_kelvin", 300}});
    const auto warm = make_dynamic_cell(name, {{"ambient_kelvin", 350}});
    CAPTURE(name);
    // Arrhenius: 1.35 eV less the field's share, or 0.6 eV less it, over 50 K.
    const double size = name == "jart-vcm-v1b" ? 0.6 : 1.5;
    for (const double volt : {size, -size}) {
      const double ratio = rate(*warm, volt, 0.1) / rate(*cold, volt, 0.1);
      CAPTURE(volt, ratio);
      REQUIRE(ratio > 1.05);
      REQUIRE(ratio < 1e4);
    }
  }
}

TEST_CASE("device/dynamics/jart_vcm_v1b: series resistances, heating and windows", "[device]") {
  const xbar::device::JartVcmV1b cell;
  // On, far beyond the barrier: A = pi (45 nm)^2 = 6.3617e-15 m^2, sigma = 20e26 2 q 4e-6
  // = 2563.5 S/m; R_disc + R_plug = 3 nm/(sigma A) = 183.95 ohm; with 650 + 719.24 ohm 1553.2 ohm.
  // At 0.01 V the barrier adds kT/q over its saturation current: T^2 A A* = 3.28e-4 A, 77 ohm.
  REQUIRE_THAT(0.01 / cell.current(0.01, cell.state_of_fraction(1)), WithinAbs(1553.2 + 77, 15));
  // Off the disc alone is 0.4 nm/(0.008e26 of that) = 61.32 kohm, and the rest 1.53 kohm. At 3 V
  // the hot barrier adds next to nothing to dV/dI.
  REQUIRE_THAT(1 / cell.current_slope(3, cell.state_of_fraction(0)), WithinRel(62.85e3, 0.01));
  // F = 0 at the ends; towards them nothing moves, away from them it does.
  REQUIRE(rate(cell, 1, 0) == 0);
  REQUIRE(rate(cell, -1, 1) == 0);
  REQUIRE(rate(cell, -1, 0) > 0);
  REQUIRE(rate(cell, 1, 1) < 0);
  // At 0.5 V on: less than V I R_th 0.27, and more than a third of it.
  const auto on = cell.state_of_fraction(1);
  const double bound = 0.5 * cell.current(0.5, on) * 0.27 * 15.72e6;
  REQUIRE(cell.temperature(0.5, on) - 293 < bound);
  REQUIRE(cell.temperature(0.5, on) - 293 > 0.05 * bound);
}

TEST_CASE("device/dynamics/jart_vcm_v1b: the current follows the branch from 0 V", "[device]") {
  // Taking another V_s where several fit would show as a fall (the largest one: by a factor of 2 at
  // 0.1 V when on).
  const xbar::device::JartVcmV1b cell;
  for (const double fraction : {0.0, 0.001, 0.1, 1.0}) {
    const auto state = cell.state_of_fraction(fraction);
    double former = 0;
    for (int k = 1; k <= 3000; ++k) {
      const double current = cell.current(1e-3 * k, state);
      CAPTURE(fraction, k);
      REQUIRE(current > former);
      REQUIRE(current < former + 1e-5);
      former = current;
    }
  }
}
