#include <cmath>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/read_noise.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::check_read_noise;
using xbar::device::fill_read_noise;

namespace {

std::vector<float> factors(double sigma, const RandomStream& stream, std::uint64_t first,
                           std::size_t count) {
  std::vector<float> factor(count, -1.0F);
  fill_read_noise(sigma, stream, first, factor);
  return factor;
}

}  // namespace

TEST_CASE("device/read_noise: the factor has mean 1 and the deviation asked for", "[device]") {
  const std::size_t count = 100000;
  const double sigma = 0.05;
  double mean = 0;
  double square = 0;
  for (const float f : factors(sigma, RandomStream(1, "read"), 0, count)) {
    mean += (f - 1.0) / static_cast<double>(count);
    square += (f - 1.0) * (f - 1.0) / static_cast<double>(count);
  }
  // Five standard errors: sigma / sqrt(n), and sigma^2 sqrt(2 / n) of the square.
  const double root = std::sqrt(static_cast<double>(count));
  CHECK(std::fabs(mean) <= 5 * sigma / root);
  CHECK(std::fabs(square - sigma * sigma) <= 5 * sigma * sigma * std::sqrt(2.0) / root);
}

TEST_CASE("device/read_noise: no conductance becomes negative", "[device]") {
  const std::size_t count = 100000;
  double zeros = 0;
  bool negative = false;
  for (const float f : factors(1, RandomStream(2, "read"), 0, count)) {
    negative = negative || f < 0;
    if (f == 0) ++zeros;
  }
  CHECK_FALSE(negative);
  const double p = std::erfc(1 / std::sqrt(2.0)) / 2;  // P(N < -1), 15.9 %
  CHECK(std::fabs(zeros / static_cast<double>(count) - p) <=
        5 * std::sqrt(p * (1 - p) / static_cast<double>(count)));
}

TEST_CASE("device/read_noise: none leaves every factor exactly 1", "[device]") {
  CHECK(factors(0, RandomStream(3, "read"), 0, 100) == std::vector<float>(100, 1.0F));
}

TEST_CASE("device/read_noise: reads differ, and none depends on how the array is cut", "[device]") {
  const RandomStream stream(4, "read");
  const auto whole = factors(0.1, stream.substream(0), 10, 300);
  for (const std::size_t cut : {1U, 61U, 128U}) {
    auto pieces = factors(0.1, stream.substream(0), 10, cut);
    const auto rest = factors(0.1, stream.substream(0), 10 + cut, 300 - cut);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
  }
  CHECK(factors(0.1, stream.substream(1), 10, 300) != whole);
}

TEST_CASE("device/read_noise: a deviation that is none is refused by name", "[device]") {
  CHECK_NOTHROW(check_read_noise(0));
  CHECK_NOTHROW(check_read_noise(1));
  CHECK_THROWS_WITH(check_read_noise(-0.1),
                    "read-noise: expected a share of the conductance, 0 to 1, got -0.1");
  CHECK_THROWS_AS(check_read_noise(1.5), xbar::InvalidArgument);
  CHECK_THROWS_AS(check_read_noise(std::numeric_limits<double>::quiet_NaN()),
                  xbar::InvalidArgument);
}
