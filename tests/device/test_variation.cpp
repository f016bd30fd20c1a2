#include <cmath>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/device/variation.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::check_device_variation;
using xbar::device::fill_device_variation;

namespace {

std::vector<float> factors(double sigma, const RandomStream& stream, std::uint64_t first,
                           std::size_t count) {
  std::vector<float> factor(count, -1.0F);
  fill_device_variation(sigma, stream, first, factor);
  return factor;
}

}  // namespace

TEST_CASE("device/variation: the factor is the exponential of the cell's draw", "[device]") {
  const RandomStream stream(1, "variation");
  std::vector<float> normal(5000);
  xbar::fill_normal(stream, 77, normal);
  // Rounding of sigma, of the product and of the exponential: a few units of 2^-24, the product's
  // times its size, up to 8.
  for (const double sigma : {1e-4, 0.1, 2.0}) {
    const auto factor = factors(sigma, stream, 77, normal.size());
    double error = 0;
    for (std::size_t k = 0; k < normal.size(); ++k) {
      const double exact = std::exp(sigma * normal[k]);
      error = std::max(error, std::fabs(factor[k] - exact) / exact);
    }
    CAPTURE(sigma);
    CHECK(error <= 12 * 0x1p-24);
  }
}

TEST_CASE("device/variation: ln G has the deviation that was asked for, its median is 1",
          "[device]") {
  const std::size_t count = 100000;
  const double sigma = 0.25;
  double mean = 0;
  double square = 0;
  double plain = 0;
  for (const float f : factors(sigma, RandomStream(2, "variation"), 0, count)) {
    mean += std::log(f) / static_cast<double>(count);
    square += std::log(f) * std::log(f) / static_cast<double>(count);
    plain += f / static_cast<double>(count);
  }
  const double root = std::sqrt(static_cast<double>(count));
  // Five standard errors: sigma / sqrt(n) of the mean, sigma^2 sqrt(2 / n) of the square, and of
  // the factor itself, mean e^(s^2/2), variance e^(2 s^2) - e^(s^2).
  CHECK(std::fabs(mean) <= 5 * sigma / root);
  CHECK(std::fabs(square - sigma * sigma) <= 5 * sigma * sigma * std::sqrt(2.0) / root);
  const double s2 = sigma * sigma;
  CHECK(std::fabs(plain - std::exp(s2 / 2)) <=
        5 * std::sqrt(std::exp(2 * s2) - std::exp(s2)) / root);
}

TEST_CASE("device/variation: none leaves every factor exactly 1", "[device]") {
  CHECK(factors(0, RandomStream(3, "variation"), 0, 100) == std::vector<float>(100, 1.0F));
}

TEST_CASE("device/variation: a cell's factor is its own, however the array is cut", "[device]") {
  const RandomStream stream(4, "variation");
  const auto whole = factors(0.1, stream, 10, 300);
  for (const std::size_t cut : {1U, 61U, 128U}) {
    auto pieces = factors(0.1, stream, 10, cut);
    const auto rest = factors(0.1, stream, 10 + cut, 300 - cut);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    CHECK(pieces == whole);
  }
  CHECK(factors(0.1, RandomStream(5, "variation"), 10, 300) != whole);
}

TEST_CASE("device/variation: a deviation that is none is refused by name", "[device]") {
  CHECK_NOTHROW(check_device_variation(0));
  CHECK_NOTHROW(check_device_variation(2));
  CHECK_THROWS_WITH(check_device_variation(-0.1),
                    "device-variation: expected a standard deviation of ln G, 0 to 2, got -0.1");
  CHECK_THROWS_AS(check_device_variation(2.5), xbar::InvalidArgument);
  CHECK_THROWS_AS(check_device_variation(std::numeric_limits<double>::quiet_NaN()),
                  xbar::InvalidArgument);
}
