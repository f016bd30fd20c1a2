#include <cmath>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/fit/iv_fit.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::fit::fit_iv;
using xbar::fit::IvData;
using xbar::fit::parse_iv_data;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::WithinRel;

namespace {

/// 0 up to 1 V, where the cell switches on, and back; then the same to -1 V, and back off.
template <typename Current>
IvData sweep(const Current& current) {
  IvData data{"synthetic", {}, {}};
  for (const double sign : {1.0, -1.0}) {
    for (int k = 0; k <= 40; ++k) data.volt.push_back(sign * k / 40.0);
    for (int k = 39; k > 0; --k) data.volt.push_back(sign * k / 40.0);
  }
  for (std::size_t k = 0; k < data.volt.size(); ++k) {
    const double v = data.volt[k];
    const bool falling = k > 0 && std::abs(v) < std::abs(data.volt[k - 1]);
    const double g = v > 0 ? (falling || v == 1 ? 2e-3 : 1e-4) : (falling || v == -1 ? 5e-4 : 2e-3);
    data.ampere.push_back(current(g, v));
  }
  return data;
}

}  // namespace

TEST_CASE("fit/iv_fit: a sinh cell comes back from the branches in which it keeps still", "[fit]") {
  const auto fit =
      fit_iv(sweep([](double g, double v) { return g * std::sinh(2.5 * v) / 2.5; }), 5);
  REQUIRE(fit.models[fit.best].name == "sinh");
  const auto& best = fit.models[fit.best];
  REQUIRE_THAT(best.parameters.at(0).value, WithinRel(2.5, 1e-6));
  REQUIRE(best.branches.size() == 2);
  REQUIRE_THAT(best.branches[0].conductance.value, WithinRel(2e-3, 1e-6));
  REQUIRE_THAT(best.branches[1].conductance.value, WithinRel(5e-4, 1e-6));
  REQUIRE(best.rms < 1e-7);
  REQUIRE(std::isnan(best.ampere.front()));
}

TEST_CASE("fit/iv_fit: an ohmic cell is linear, and the simplest model says so", "[fit]") {
  const auto fit = fit_iv(sweep([](double g, double v) { return g * v; }), 5);
  REQUIRE(fit.models[fit.best].name == "linear");
  REQUIRE_THAT(fit.models[fit.best].branches[0].conductance.value, WithinRel(2e-3, 1e-9));
}

TEST_CASE("fit/iv_fit: a resistance in series with a sinh cell comes back", "[fit]") {
  const auto current = [](double g, double v) {
    // I = G sinh(a x)/a with x = v - R I, by bisection.
    double low = std::min(v, 0.0);
    double high = std::max(v, 0.0);
    for (int k = 0; k < 200; ++k) {
      const double x = (low + high) / 2;
      (g * std::sinh(3 * x) / 3 > (v - x) / 150 ? high : low) = x;
    }
    return (v - low) / 150;
  };
  const auto fit = fit_iv(sweep(current), 5);
  REQUIRE(fit.models[fit.best].name == "series-resistance");
  REQUIRE_THAT(fit.models[fit.best].parameters.at(0).value, WithinRel(150, 1e-4));
  REQUIRE_THAT(fit.models[fit.best].parameters.at(1).value, WithinRel(3, 1e-4));
}

TEST_CASE("fit/iv_fit: sweeps that cannot be used are refused in one line", "[fit]") {
  const auto refusal = [](const std::string& text) {
    return message_of<xbar::IoError>([&] { (void)fit_iv(parse_iv_data(text, "f.csv"), 5); });
  };
  CHECK(contains(refusal("1,2,3,4\n"), "f.csv: expected 2 columns"));
  CHECK(contains(refusal("v,i\n0.1,x\n"), "line 2: ampere: expected a finite number, found 'x'"));
  CHECK(contains(refusal("0.1,1\n0.2,2\n0.3,3\n"), "a voltage that falls in size, found none"));
}
