#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/random.hpp>

#include "random_kernels.hpp"
#include "support/catch.hpp"

using xbar::RandomStream;
using xbar_test::WithinRel;

namespace {

// Streams are fixed functions of their names: a bound of five standard errors either holds for ever
// or fails for ever, so it needs no allowance for bad luck.
constexpr double five_sigma = 5.0;
constexpr std::uint64_t draws = 200000;
constexpr std::size_t many = 1000000;

using Fill = void (*)(const RandomStream&, std::uint64_t, std::span<float>);

std::vector<float> drawn(Fill fill, const RandomStream& stream, std::uint64_t first,
                         std::size_t count) {
  std::vector<float> values(count);
  fill(stream, first, values);
  return values;
}

// Largest distance of the empirical distribution from the law's, times sqrt(n). Kolmogorov:
// P(> 2.74) = 2 exp(-2 * 2.74^2) = 6e-7, what five standard errors leave of a normal law.
double kolmogorov(std::vector<float> values, const std::function<double(double)>& law) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double largest = 0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double p = law(values[k]);
    largest =
        std::max({largest, p - static_cast<double>(k) / n, (static_cast<double>(k) + 1) / n - p});
  }
  return largest * std::sqrt(n);
}
constexpr double kolmogorov_limit = 2.74;

double normal_law(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

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

TEST_CASE("core/random: the values of bulk draws are fixed for ever, bit by bit") {
  // From the second implementation in Python, with single precision by rounding every result.
  struct Row {
    std::uint64_t index;
    float uniform;
    float normal;
  };
  const RandomStream stream(1, "shuffle");
  for (const Row& row :
       {Row{0, 0x1.5c0094p-1F, -0x1.613412p-1F}, Row{17, 0x1.c5110ep-1F, -0x1.fca02p+0F},
        Row{47, 0x1.c70f66p-1F, -0x1.20fb8ep-3F}, Row{63, 0x1.e7f95ep-1F, -0x1.dbc784p-2F},
        Row{1000003, 0x1.e5508p-1F, -0x1.b99536p-6F},
        Row{(1ULL << 36U) + 5, 0x1.0fcab2p-5F, -0x1.33f53ep-4F}}) {
    CHECK(drawn(xbar::fill_uniform, stream, row.index, 1).front() == row.uniform);
    CHECK(drawn(xbar::fill_normal, stream, row.index, 1).front() == row.normal);
  }
}

TEST_CASE("core/random: bulk draws are the formula of their words") {
  // The reference is in double precision. A uniform draw is rounded twice, by at most half a unit,
  // 2^-24 of its value (2^-25 near 1, where that moves the radius r by 2^-24 / r in all); what
  // follows costs a few units in the last place of at most 6.8.
  for (const RandomStream& stream :
       {RandomStream(5, "words"), RandomStream(5, "words").substream(1ULL << 40U)}) {
    const std::uint64_t first =
        (1ULL << 34U) - 1000;  // the lower half of the counter overflows: / 4
    const auto uniform = drawn(xbar::fill_uniform, stream, first, 20000);
    const auto normal = drawn(xbar::fill_normal, stream, first, 20000);
    double uniform_error = 0;
    double normal_error = 0;
    for (std::size_t k = 0; k < normal.size(); ++k) {
      const std::uint64_t i = first + k;
      const std::size_t w = i / 16 % 4;
      const auto word = stream.bits(16 * (i / 64) + i % 16);
      const double u = (word[w] + 0.5) * 0x1p-32;
      uniform_error = std::max(uniform_error, std::fabs(uniform[k] - u) / u);
      const double r = std::sqrt(-2 * std::log((word[w & 2U] + 0.5) * 0x1p-32));
      // Quarter and offset from its middle, as the kernel takes them.
      const std::uint32_t turn = word[(w & 2U) + 1];
      const double offset = static_cast<std::int32_t>(turn << 2U) / 4;
      const double angle = std::acos(-1.0) / 2 * ((turn >> 30U) + offset * 0x1p-30);
      const double z = r * (w % 2 == 0 ? std::cos(angle) : std::sin(angle));
      normal_error = std::max(normal_error, std::fabs(normal[k] - z) / (1e-6 + 0x1p-24 / r));
    }
    CHECK(uniform_error <= 0x1p-23);
    CHECK(normal_error <= 1);
  }
}

TEST_CASE("core/random: bulk words are those of the counters") {
  const RandomStream stream = RandomStream(6, "words").substream(3);
  const std::uint64_t first = (1ULL << 34U) - 101;  // an odd place; the lower half overflows: / 4
  std::vector<std::uint32_t> words(777);
  xbar::fill_words(stream, first, words);
  bool same = true;
  for (std::size_t k = 0; k < words.size(); ++k) {
    const std::uint64_t i = first + k;
    same = same && words[k] == stream.bits(16 * (i / 64) + i % 16)[i / 16 % 4];
  }
  CHECK(same);
}

TEST_CASE("core/random: bits of a list of counters are those of each") {
  const xbar::DrawKey key{{0x12345678U, 0x9abcdef0U}, 0xfedcba9876543210ULL};
  const RandomStream stream = RandomStream(7, "list").substream(2);
  // Any order, upper halves too, and a number of them that fills no register.
  std::vector<std::uint64_t> indices;
  for (std::uint64_t k = 0; k < 53; ++k) indices.push_back((k * 0x9e3779b97f4a7c15ULL) >> (k % 40));
  std::vector<std::uint32_t> words(4 * indices.size());
  xbar::fill_bits(stream, indices, words);
  bool same = true;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const auto expected = stream.bits(indices[k]);
    same = same && std::equal(expected.begin(), expected.end(),
                              words.begin() + static_cast<std::ptrdiff_t>(4 * k));
  }
  CHECK(same);
  const auto listed = [&](auto* build) {
    std::vector<std::uint32_t> out(4 * indices.size());
    build(key, indices.data(), static_cast<long>(indices.size()), out.data());
    return out;
  };
  const auto plain = listed(xbar::baseline::listed_words);
#if defined(__x86_64__)
  if (xbar::isa() >= xbar::Isa::avx2) CHECK(listed(xbar::avx2::listed_words) == plain);
  if (xbar::isa() >= xbar::Isa::avx512) CHECK(listed(xbar::avx512::listed_words) == plain);
#endif
}

TEST_CASE("core/random: every build of the bulk draws gives the same bits") {
  using Groups = void (*)(const xbar::DrawKey&, std::uint64_t, long, float*);
  const xbar::DrawKey key{{0x12345678U, 0x9abcdef0U}, 0xfedcba9876543210ULL};
  const auto values = [&](Groups groups) {
    std::vector<float> out(static_cast<std::size_t>(xbar::draw_group) * 1000);
    groups(key, (1ULL << 28U) - 500, 1000, out.data());
    return out;
  };
  const auto words =
      [&](void (*groups)(const xbar::DrawKey&, std::uint64_t, long, std::uint32_t*)) {
        std::vector<std::uint32_t> out(static_cast<std::size_t>(xbar::draw_group) * 1000);
        groups(key, (1ULL << 28U) - 500, 1000, out.data());
        return out;
      };
  const auto word = words(xbar::baseline::word_groups);
  const auto uniform = values(xbar::baseline::uniform_groups);
  const auto normal = values(xbar::baseline::normal_groups);
  CHECK(uniform[0] != uniform[1]);
#if defined(__x86_64__)
  if (xbar::isa() >= xbar::Isa::avx2) {
    CHECK(words(xbar::avx2::word_groups) == word);
    CHECK(values(xbar::avx2::uniform_groups) == uniform);
    CHECK(values(xbar::avx2::normal_groups) == normal);
  }
  if (xbar::isa() >= xbar::Isa::avx512) {
    CHECK(words(xbar::avx512::word_groups) == word);
    CHECK(values(xbar::avx512::uniform_groups) == uniform);
    CHECK(values(xbar::avx512::normal_groups) == normal);
  }
#endif
}

TEST_CASE("core/random: a bulk draw does not depend on how the range is cut") {
  const RandomStream stream(7, "cut");
  for (const Fill fill : {&xbar::fill_uniform, &xbar::fill_normal}) {
    const auto whole = drawn(fill, stream, 1000, 2000);
    // Pieces of 0, 1, 2, ... draws: every offset in a group, pieces within one and over several.
    std::vector<float> pieces(2000);
    std::size_t first = 0;
    for (std::size_t size = 0; first < pieces.size(); ++size) {
      const std::size_t count = std::min(size * size % 211, pieces.size() - first);
      fill(stream, 1000 + first, std::span(pieces).subspan(first, count));
      first += count;
    }
    CHECK(pieces == whole);
    CHECK(drawn(fill, stream, 1000, 2000) == whole);
    CHECK(drawn(fill, stream.substream(1), 1000, 2000) != whole);
    CHECK(drawn(fill, RandomStream(7, "cuts"), 1000, 2000) != whole);
  }
}

TEST_CASE("core/random: bulk uniform draws follow the law") {
  const auto u = drawn(xbar::fill_uniform, RandomStream(3, "bulk-uniform"), 0, many);
  CHECK(kolmogorov(u, [](double x) { return x; }) <= kolmogorov_limit);
  CHECK(*std::min_element(u.begin(), u.end()) > 0);
  CHECK(*std::max_element(u.begin(), u.end()) < 1);
}

TEST_CASE("core/random: bulk normal draws follow the law") {
  const auto z = drawn(xbar::fill_normal, RandomStream(3, "bulk-normal"), 0, many);
  CHECK(kolmogorov(z, normal_law) <= kolmogorov_limit);
  std::array<double, 5> moment{};
  for (const double x : z) {
    moment[1] += x;
    moment[2] += x * x;
    moment[3] += x * x * x;
    moment[4] += x * x * x * x;
  }
  const auto n = static_cast<double>(many);
  // Variances of z, z^2, z^3 and z^4: 1, 2, 15 and 105 - 9 = 96.
  CHECK(std::fabs(moment[1] / n) <= five_sigma * std::sqrt(1 / n));
  CHECK(std::fabs(moment[2] / n - 1) <= five_sigma * std::sqrt(2 / n));
  CHECK(std::fabs(moment[3] / n) <= five_sigma * std::sqrt(15 / n));
  CHECK(std::fabs(moment[4] / n - 3) <= five_sigma * std::sqrt(96 / n));
}

TEST_CASE("core/random: bulk normal draws have the tails of the law") {
  const RandomStream stream(3, "bulk-tail");
  std::array<double, 3> beyond{};  // 3, 4 and 5 on either side
  constexpr std::uint64_t blocks = 16;
  for (std::uint64_t block = 0; block < blocks; ++block) {
    for (const float z : drawn(xbar::fill_normal, stream, block * many, many)) {
      for (std::size_t k = 0; k < 3; ++k) {
        if (std::fabs(z) > static_cast<float>(k + 3)) ++beyond[k];
      }
    }
  }
  for (std::size_t k = 0; k < 3; ++k) {
    // Poisson: variance = mean. Of 16 million, 43,000, 1,013 and 9.2 are expected.
    const double mean =
        static_cast<double>(blocks * many) * 2 * normal_law(-3.0 - static_cast<double>(k));
    CAPTURE(k + 3, mean, beyond[k]);
    CHECK(std::fabs(beyond[k] - mean) <= five_sigma * std::sqrt(mean));
  }
}

TEST_CASE("core/random: bulk normal neighbours, streams and substreams are independent") {
  // Products of draws, and of their squares, for draws that share a counter (16 apart: cosine and
  // sine of one radius, 32 apart: the other pair), neighbours, and other streams.
  const RandomStream a(3, "a");
  const auto z = drawn(xbar::fill_normal, a, 0, many);
  const auto correlation = [&](const std::vector<float>& other) {
    double plain = 0;
    double squares = 0;
    for (std::size_t k = 0; k < many; ++k) {
      plain += z[k] * other[k];
      squares += (z[k] * z[k] - 1.0) * (other[k] * other[k] - 1.0);
    }
    const auto n = static_cast<double>(many);
    CHECK(std::fabs(plain / n) <= five_sigma / std::sqrt(n));        // variance 1
    CHECK(std::fabs(squares / n) <= five_sigma * 2 / std::sqrt(n));  // variance 2 * 2
  };
  for (const std::uint64_t lag : {1U, 2U, 4U, 8U, 16U, 32U, 48U, 64U, 65U}) {
    CAPTURE(lag);
    correlation(drawn(xbar::fill_normal, a, lag, many));
  }
  correlation(drawn(xbar::fill_normal, RandomStream(3, "b"), 0, many));
  correlation(drawn(xbar::fill_normal, RandomStream(4, "a"), 0, many));
  correlation(drawn(xbar::fill_normal, a.substream(0), 0, many));
  correlation(drawn(xbar::fill_normal, a.substream(1), 0, many));
}
