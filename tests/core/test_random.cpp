#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>

#include "support/catch.hpp"

using xbar::RandomStream;
using xbar_test::WithinRel;

namespace {

// Streams are fixed functions of their names: a bound of five standard errors either holds for ever
// or fails for ever, so it needs no allowance for bad luck.
constexpr double five_sigma = 5.0;
constexpr std::uint64_t draws = 200000;

}  // namespace

TEST_CASE("core/random: the values are fixed for ever") {
  // From a second implementation of Philox4x32-10, FNV-1a and SplitMix64's finaliser, in Python,
  // itself checked against the published answer of Philox4x32-10 for zero key and counter.
  const RandomStream stream(1, "shuffle");
  CHECK(stream.bits(0) ==
        std::array<std::uint32_t, 4>{0xae004a49U, 0xa4c7d055U, 0x5e7208faU, 0xcf908201U});
  CHECK(stream.bits((1ULL << 32U) + 5) ==
        std::array<std::uint32_t, 4>{0x7f101ebcU, 0x30865c6fU, 0xa54dfbb1U, 0x4692aa87U});
  CHECK(stream.substream(3).bits(7) ==
        std::array<std::uint32_t, 4>{0x2d5b11b1U, 0x013efc1eU, 0x2f7888c8U, 0xf136c23cU});
  CHECK(stream.uniform(0) == 0.6436739167384086);
  CHECK(stream.below(0, 1000) == 643);
  // Logarithm and cosine may differ in the last bits between libraries.
  CHECK_THAT(stream.normal(0), WithinRel(0.34992816492385437, 1e-14));
}

TEST_CASE("core/random: seed, name, substream and index each change the draws") {
  const RandomStream stream(1, "noise");
  const auto base = stream.bits(0);
  CHECK(base == RandomStream(1, "noise").bits(0));
  CHECK(base != RandomStream(2, "noise").bits(0));
  CHECK(base != RandomStream(1, "noisf").bits(0));
  CHECK(base != RandomStream(1, "").bits(0));
  CHECK(base != stream.bits(1));
  CHECK(base != stream.substream(0).bits(0));
  CHECK(stream.substream(0).bits(0) != stream.substream(1).bits(0));
  CHECK(stream.substream(0).substream(1).bits(0) != stream.substream(1).substream(0).bits(0));
}

TEST_CASE("core/random: a draw does not depend on the order or the threads") {
  const RandomStream stream(7, "order");
  constexpr xbar::Index count = 1000;
  std::vector<double> forward(count);
  std::vector<double> together(count);
  for (xbar::Index i = count; i-- > 0;) {
    forward[static_cast<std::size_t>(i)] = stream.normal(static_cast<std::uint64_t>(i));
  }
  xbar::parallel_for(count, [&](xbar::Index i) {
    together[static_cast<std::size_t>(i)] = stream.normal(static_cast<std::uint64_t>(i));
  });
  CHECK(forward == together);
}

TEST_CASE("core/random: uniform draws have the mean, variance and range of the law") {
  const RandomStream stream(3, "uniform");
  double sum = 0;
  double sum2 = 0;
  bool inside = true;
  std::array<int, 16> bins{};
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double u = stream.uniform(i);
    inside = inside && u > 0 && u < 1;
    sum += u - 0.5;
    sum2 += (u - 0.5) * (u - 0.5);
    ++bins[static_cast<std::size_t>(u * 16)];
  }
  const auto n = static_cast<double>(draws);
  CHECK(inside);
  // Variance of u: 1/12. Variance of (u - 1/2)^2: 1/80 - 1/144 = 1/180.
  CHECK(std::fabs(sum / n) <= five_sigma * std::sqrt(1.0 / 12 / n));
  CHECK(std::fabs(sum2 / n - 1.0 / 12) <= five_sigma * std::sqrt(1.0 / 180 / n));
  // Pearson's statistic: mean 15, variance 30.
  double chi2 = 0;
  for (const int bin : bins) chi2 += (bin - n / 16) * (bin - n / 16) / (n / 16);
  CHECK(chi2 <= 15 + five_sigma * std::sqrt(30.0));
}

TEST_CASE("core/random: uniform draws fill the interval asked for") {
  const RandomStream stream(3, "interval");
  bool inside = true;
  double lowest = 0;
  double highest = -10;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double u = stream.uniform(i, -2.0, -1.0);
    inside = inside && u >= -2.0 && u <= -1.0;
    lowest = std::min(lowest, u);
    highest = std::max(highest, u);
  }
  CHECK(inside);
  // The gap at an end is exponential with mean 1e-4; e^-20 is the chance of twenty times that.
  CHECK(lowest <= -2.0 + 2e-3);
  CHECK(highest >= -1.0 - 2e-3);
}

TEST_CASE("core/random: normal draws have the moments of the law") {
  const RandomStream stream(3, "normal");
  double m1 = 0;
  double m2 = 0;
  double m4 = 0;
  int beyond_two = 0;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double z = stream.normal(i);
    m1 += z;
    m2 += z * z;
    m4 += z * z * z * z;
    if (std::fabs(z) > 2) ++beyond_two;
  }
  const auto n = static_cast<double>(draws);
  // Variances of z, z^2 and z^4: 1, 2 and 105 - 9 = 96.
  CHECK(std::fabs(m1 / n) <= five_sigma * std::sqrt(1 / n));
  CHECK(std::fabs(m2 / n - 1) <= five_sigma * std::sqrt(2 / n));
  CHECK(std::fabs(m4 / n - 3) <= five_sigma * std::sqrt(96 / n));
  const double p = std::erfc(2 / std::sqrt(2.0));  // P(|z| > 2)
  CHECK(std::fabs(beyond_two / n - p) <= five_sigma * std::sqrt(p * (1 - p) / n));
}

TEST_CASE("core/random: neighbours, streams and substreams are uncorrelated") {
  const RandomStream a(3, "a");
  const RandomStream b(3, "b");
  const RandomStream other_seed(4, "a");
  const RandomStream s0 = a.substream(0);
  const RandomStream s1 = a.substream(1);
  double next = 0;
  double named = 0;
  double seeded = 0;
  double nested = 0;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const double x = a.normal(i);
    next += x * a.normal(i + 1);
    named += x * b.normal(i);
    seeded += x * other_seed.normal(i);
    nested += s0.normal(i) * s1.normal(i);
  }
  const auto n = static_cast<double>(draws);
  for (const double sum : {next, named, seeded, nested}) {
    CHECK(std::fabs(sum / n) <= five_sigma / std::sqrt(n));  // each product has variance 1
  }
}

TEST_CASE("core/random: below is uniform over its range, also beyond 32 bits") {
  const RandomStream stream(3, "below");
  std::array<int, 7> bins{};
  for (std::uint64_t i = 0; i < 70000; ++i) ++bins[stream.below(i, 7)];
  double chi2 = 0;  // mean 6, variance 12
  for (const int bin : bins) chi2 += (bin - 1e4) * (bin - 1e4) / 1e4;
  CHECK(chi2 <= 6 + five_sigma * std::sqrt(12.0));

  const std::uint64_t large = (1ULL << 40U) + 1;
  std::set<std::uint64_t> seen;
  bool inside = true;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t k = stream.below(i, large);
    inside = inside && k < large;
    seen.insert(k);
  }
  CHECK(inside);
  CHECK(seen.size() == 1000);  // a repeat among 2^40 has a chance of 5e-7
  CHECK(stream.below(0, 1) == 0);
}
