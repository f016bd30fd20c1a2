#include <cmath>
#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/report/axis.hpp>

#include "support/catch.hpp"

using namespace xbar::report;
using Ticks = std::vector<double>;

TEST_CASE("report/axis: linear ticks are multiples of 1 2 or 5") {
  CHECK(linear_ticks(0, 100, 5) == Ticks{0, 20, 40, 60, 80, 100});
  CHECK(linear_ticks(0, 1, 5) == Ticks{0, 0.2, 0.4, 0.6, 0.8, 1});
  CHECK(linear_ticks(82.4, 95, 3) == Ticks{85, 90, 95});
  CHECK(linear_ticks(-1, 1, 4) == Ticks{-1, -0.5, 0, 0.5, 1});
  CHECK(linear_ticks(1000, 4000, 3) == Ticks{1000, 2000, 3000, 4000});
}

TEST_CASE("report/axis: linear ticks are the doubles nearest to their decimals") {
  // 3 * 0.1 is 0.30000000000000004.
  CHECK(linear_ticks(0, 0.5, 5) == Ticks{0, 0.1, 0.2, 0.3, 0.4, 0.5});
  CHECK(linear_ticks(0, 6e-7, 6) == Ticks{0, 1e-7, 2e-7, 3e-7, 4e-7, 5e-7, 6e-7});
}

TEST_CASE("report/axis: the number of linear ticks stays near the target for any range") {
  for (const double span : {1e-12, 0.037, 1.0, 9.9, 123.0, 7e8}) {
    for (const double start : {0.0, -0.4, 3.0}) {
      for (const int target : {3, 5, 8}) {
        const Ticks ticks = linear_ticks(start * span, (start + 1) * span, target);
        CAPTURE(span, start, target, ticks);
        // Steps go 1-2-5-10 (at most a factor sqrt(2.5) off), and ends may fall between ticks.
        CHECK(static_cast<double>(ticks.size()) >= target / 1.6 - 1);
        CHECK(static_cast<double>(ticks.size()) <= target * 1.6 + 1);
        CHECK(std::is_sorted(ticks.begin(), ticks.end()));
        CHECK(ticks.front() >= (start - 1e-9) * span);
        CHECK(ticks.back() <= (start + 1 + 1e-9) * span);
      }
    }
  }
}

TEST_CASE("report/axis: degenerate linear ranges give their value") {
  CHECK(linear_ticks(3, 3, 5) == Ticks{3});
  CHECK(linear_ticks(1, 1 + 1e-15, 5).size() == 2);
  CHECK(linear_ticks(-1e308, 1e308, 5).size() == 2);  // the span overflows
}

TEST_CASE("report/axis: log ticks are decades") {
  CHECK(log_ticks(0.01, 100, 6) == Ticks{0.01, 0.1, 1, 10, 100});
  CHECK(log_ticks(0.003, 66, 6) == Ticks{0.01, 0.1, 1, 10});
  // 13 decades for 5 labels: every third, at exponents divisible by three.
  CHECK(log_ticks(1e-12, 1, 5) == Ticks{1e-12, 1e-9, 1e-6, 1e-3, 1});
}

TEST_CASE("report/axis: short log ranges fall back to 1-2-5 and then to linear") {
  CHECK(log_ticks(1, 10, 5) == Ticks{1, 2, 5, 10});
  CHECK(log_ticks(5e3, 1e5, 5) == Ticks{5e3, 1e4, 2e4, 5e4, 1e5});
  CHECK(log_ticks(2.2, 3.1, 4) == Ticks{2.2, 2.4, 2.6, 2.8, 3});
}

TEST_CASE("report/axis: log2 ticks are powers of two") {
  CHECK(log2_ticks(16, 256, 8) == Ticks{16, 32, 64, 128, 256});
  CHECK(log2_ticks(15, 260, 3) == Ticks{16, 64, 256});
  CHECK(log2_ticks(2.2, 3.1, 4) == Ticks{2.2, 2.4, 2.6, 2.8, 3});
}

TEST_CASE("report/axis: unusable ranges are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(linear_ticks(1, 0, 5), xbar::InvalidArgument);
  CHECK_THROWS_AS(linear_ticks(nan, 1, 5), xbar::InvalidArgument);
  CHECK_THROWS_AS(linear_ticks(0, 1, 0), xbar::InvalidArgument);
  CHECK_THROWS_AS(log_ticks(0, 1, 5), xbar::InvalidArgument);
  CHECK_THROWS_AS(log_ticks(-1, 1, 5), xbar::InvalidArgument);
  CHECK_THROWS_AS(log2_ticks(0, 1, 5), xbar::InvalidArgument);
  CHECK_THROWS_WITH(linear_ticks(2, 1, 5), Catch::Matchers::Contains("[2, 1]"));
}
