#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/drift.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::check_drift;
using xbar::device::Drift;
using xbar::device::fill_drift;

namespace {

std::vector<float> factors(const Drift& drift, const RandomStream& stream, std::uint64_t first,
                           std::size_t count) {
  std::vector<float> factor(count, -1.0F);
  fill_drift(drift, stream, first, factor);
  return factor;
}

}  // namespace

TEST_CASE("device/drift: worked by hand without spread", "[device]") {
  // t/t0 = 10^4, nu = 1/2: 10^-2. And t/t0 = 16/2, nu = 1/3: 1/2.
  const RandomStream stream(1, "drift");
  const auto hundredth = factors({.exponent = 0.5, .time_s = 1e4}, stream, 0, 3);
  const auto half = factors({.exponent = 1.0 / 3, .time_s = 16, .reference_s = 2}, stream, 0, 3);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK_THAT(hundredth[k], xbar_test::WithinRel(0.01F, 0x1p-23F));
    CHECK_THAT(half[k], xbar_test::WithinRel(0.5F, 0x1p-23F));
  }
}

TEST_CASE("device/drift: each cell falls by its own exponent, none rises", "[device]") {
  const RandomStream stream(2, "drift");
  std::vector<float> normal(20000);
  xbar::fill_normal(stream, 9, normal);
  const Drift drift{.exponent = 0.05, .exponent_deviation = 0.04, .time_s = 1e6, .reference_s = 20};
  const auto factor = factors(drift, stream, 9, normal.size());
  double error = 0;
  int still = 0;
  for (std::size_t k = 0; k < normal.size(); ++k) {
    const double nu = std::max(0.0, 0.05 + 0.04 * static_cast<double>(normal[k]));
    const double exact = std::pow(1e6 / 20, -nu);
    error = std::max(error, std::fabs(factor[k] - exact) / exact);
    if (factor[k] == 1) ++still;
  }
  // nu log(t/t0) is at most 0.25 * 10.8 = 2.7, and is rounded three times.
  CHECK(error <= 10 * 0x1p-24);
  // P(N < -1.25) = 10.6 %: 2113 +- 43 cells do not move, and none gains.
  CHECK(std::abs(still - 2113) <= 5 * 43);
  CHECK(*std::max_element(factor.begin(), factor.end()) == 1);
}

TEST_CASE("device/drift: a cell keeps its exponent: factors multiply over time", "[device]") {
  // (t2/t0)^-nu = (t2/t1)^-nu (t1/t0)^-nu
  const RandomStream stream(3, "drift");
  const Drift first{.exponent = 0.06, .exponent_deviation = 0.02, .time_s = 100, .reference_s = 1};
  Drift second = first;
  second.time_s = 1e5;
  second.reference_s = 100;
  Drift both = first;
  both.time_s = 1e5;
  const auto a = factors(first, stream, 0, 500);
  const auto b = factors(second, stream, 0, 500);
  const auto c = factors(both, stream, 0, 500);
  for (std::size_t k = 0; k < 500; ++k) CHECK_THAT(a[k] * b[k], xbar_test::WithinRel(c[k], 1e-6F));
}

TEST_CASE("device/drift: at the reference time, or without exponents, nothing moves", "[device]") {
  const RandomStream stream(4, "drift");
  const std::vector<float> ones(100, 1.0F);
  const Drift now{.exponent = 0.1, .exponent_deviation = 0.05, .time_s = 5, .reference_s = 5};
  CHECK_FALSE(now.any());
  CHECK(factors(now, stream, 0, 100) == ones);
  CHECK_FALSE(Drift{.time_s = 1e9}.any());
  CHECK(factors({.time_s = 1e9}, stream, 0, 100) == ones);
  CHECK(Drift{.exponent_deviation = 0.1, .time_s = 2}.any());
}

TEST_CASE("device/drift: a cell's factor is its own, however the array is cut", "[device]") {
  const RandomStream stream(5, "drift");
  const Drift drift{.exponent = 0.05, .exponent_deviation = 0.01, .time_s = 1e3};
  const auto whole = factors(drift, stream, 10, 300);
  for (const std::size_t cut : {1U, 61U, 128U}) {
    auto pieces = factors(drift, stream, 10, cut);
    const auto rest = factors(drift, stream, 10 + cut, 300 - cut);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
  }
  CHECK(factors(drift, RandomStream(6, "drift"), 10, 300) != whole);
}

TEST_CASE("device/drift: fields out of range are refused by name", "[device]") {
  CHECK_NOTHROW(check_drift({}));
  const auto message = [](const Drift& drift) {
    try {
      check_drift(drift);
    } catch (const xbar::InvalidArgument& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  CHECK(message({.exponent = -0.1}) == "drift-exponent: expected 0 to 1, got -0.1");
  CHECK(message({.exponent_deviation = 2}) == "drift-exponent-deviation: expected 0 to 1, got 2");
  CHECK(message({.reference_s = 0}) == "drift-reference-s: expected a finite time > 0 s, got 0");
  CHECK(message({.time_s = 1, .reference_s = 20}) ==
        "drift-time-s: expected a finite time of at least drift-reference-s, 20 s, got 1");
  CHECK(message({.time_s = std::numeric_limits<double>::quiet_NaN()}) ==
        "drift-time-s: expected a finite time of at least drift-reference-s, 1 s, got nan");
  CHECK(message({.time_s = std::numeric_limits<double>::infinity()}) ==
        "drift-time-s: expected a finite time of at least drift-reference-s, 1 s, got inf");
}
