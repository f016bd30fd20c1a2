/// Trains as bits: every build that this machine runs against plain loops, bit by bit.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <xbar/core/isa.hpp>
#include <xbar/core/random.hpp>

#include "support/catch.hpp"
#include "train_kernels.hpp"

using xbar::RandomStream;
using xbar::device::TrainLines;

namespace {

struct Build {
  decltype(&xbar::device::baseline::survey) survey;
  decltype(&xbar::device::baseline::prepare_lines) prepare_lines;
  decltype(&xbar::device::baseline::draw_slots) draw_slots;
  decltype(&xbar::device::baseline::draw_line) draw_line;
  decltype(&xbar::device::baseline::transpose_words) transpose_words;
  decltype(&xbar::device::baseline::list_rows) list_rows;
  decltype(&xbar::device::baseline::add_rows) add_rows;
  decltype(&xbar::device::baseline::expand_planes) expand_planes;
};

#define XBAR_BUILD(level)                                                     \
  Build {                                                                     \
    xbar::device::level::survey, xbar::device::level::prepare_lines,          \
        xbar::device::level::draw_slots, xbar::device::level::draw_line,      \
        xbar::device::level::transpose_words, xbar::device::level::list_rows, \
        xbar::device::level::add_rows, xbar::device::level::expand_planes     \
  }

std::vector<Build> builds() {
  std::vector<Build> all{XBAR_BUILD(baseline)};
#if defined(__x86_64__)
  if (xbar::isa() >= xbar::Isa::avx2) all.push_back(XBAR_BUILD(avx2));
  if (xbar::isa() >= xbar::Isa::avx512) all.push_back(XBAR_BUILD(avx512));
#endif
  return all;
}

std::vector<std::uint64_t> random_words(std::size_t count, const RandomStream& stream) {
  std::vector<std::uint32_t> halves(2 * count);
  xbar::fill_words(stream, 0, halves);
  std::vector<std::uint64_t> words(count);
  for (std::size_t k = 0; k < count; ++k) {
    words[k] = (static_cast<std::uint64_t>(halves[2 * k]) << 32U) | halves[2 * k + 1];
  }
  return words;
}

/// Bit `line` of a row of words.
bool bit(const std::uint64_t* row, long line) {
  return ((row[line / 64] >> (line % 64)) & 1U) != 0;
}

}  // namespace

TEST_CASE("device/train_kernels: a line fires where its byte says so", "[device][trains]") {
  const RandomStream stream(20260705, "test-kernels");
  for (const long count : {1L, 6L, 25L, 64L, 150L, 513L}) {
    const auto lines = static_cast<std::size_t>(count);
    const long slots = 9;
    const long row_bytes = count + 5;
    std::vector<float> values(lines);
    xbar::fill_normal(stream.substream(1), 0, values);
    values[0] = 4;  // P = 1 at a scale of 1/4
    if (count > 1) values[1] = -0.0F;
    std::vector<std::uint32_t> random(static_cast<std::size_t>(row_bytes * slots + 128));
    xbar::fill_words(stream.substream(2), 0, random);
    auto* const draws = reinterpret_cast<std::uint8_t*>(random.data());
    const std::uint8_t* start = draws + row_bytes * slots;
    const float scale = 0.25F;
    const unsigned dither = 77;
    const unsigned slot = 3;
    const auto chance = [&](long k) {  // of line k, 2^16 parts
      const float wanted = std::abs(values[static_cast<std::size_t>(k)]) * scale * 0x1p24F;
      const auto parts = static_cast<unsigned>(std::min(wanted, 0x1p24F) + 0.5F);
      return (parts + ((dither + 159U * static_cast<unsigned>(k)) & 0xffU)) >> 8U;
    };
    // Every other byte leaves the decision to the carry.
    for (long t = 0; t < slots; ++t) {
      for (long k = t % 2; k < count; k += 2) {
        draws[t * row_bytes + k] = static_cast<std::uint8_t>(chance(k) >> 8U);
      }
    }
    for (const Build& build : builds()) {
      std::vector<std::uint8_t> memory(4 * (lines + 64));
      const TrainLines state{count, memory.data(), memory.data() + lines + 64,
                             memory.data() + 2 * (lines + 64), memory.data() + 3 * (lines + 64)};
      build.prepare_lines(state, values.data(), scale, dither, start, slot);
      const long words = (count + 63) / 64;
      std::vector<std::uint64_t> positive(static_cast<std::size_t>(words * slots));
      std::vector<std::uint64_t> negative(positive.size());
      // In two pieces: the phases go on.
      build.draw_slots(state, 4, draws, row_bytes, positive.data(), negative.data(), words);
      build.draw_slots(state, slots - 4, draws + 4 * row_bytes, row_bytes,
                       positive.data() + 4 * words, negative.data() + 4 * words, words);
      bool as_told = true;
      for (long k = 0; k < count; ++k) {
        const float value = values[static_cast<std::size_t>(k)];
        const unsigned p = chance(k);
        for (long t = 0; t < slots; ++t) {
          // The carry of the sum of the fractions so far.
          const auto sum = [&](unsigned n) { return start[k] % 256U + n * (p & 0xffU); };
          const unsigned n = slot + static_cast<unsigned>(t);
          const unsigned carry = sum(n + 1) / 256 - sum(n) / 256;
          const bool fires = draws[t * row_bytes + k] < (p >> 8U) + carry;
          as_told = as_told && bit(positive.data() + t * words, k) == (fires && value > 0) &&
                    bit(negative.data() + t * words, k) == (fires && value < 0);
        }
      }
      // And none beyond the last.
      for (long k = count; k < 64 * words; ++k) {
        for (long t = 0; t < slots; ++t) {
          as_told = as_told && !bit(positive.data() + t * words, k) &&
                    !bit(negative.data() + t * words, k);
        }
      }
      CAPTURE(count);
      REQUIRE(as_told);
      REQUIRE(bit(positive.data(), 0));
    }
  }
}

TEST_CASE("device/train_kernels: a line drawn over slots fires as one drawn over lines",
          "[device][trains]") {
  const RandomStream stream(20260709, "test-lanes");
  const long count = 20;
  std::vector<float> values(64 * count);  // slot by slot
  xbar::fill_normal(stream.substream(0), 0, values);
  std::vector<std::uint32_t> random(2 * 64 * 10);
  xbar::fill_words(stream.substream(1), 0, random);
  const auto* const draws = reinterpret_cast<const std::uint8_t*>(random.data());
  const std::uint8_t* const starts = draws + 64 * 24;
  std::vector<float> scale(64);
  std::vector<std::uint8_t> dither(64);
  std::vector<std::uint8_t> done(64);
  for (std::size_t t = 0; t < 64; ++t) {
    scale[t] = t % 9 == 0 ? 0 : t % 2 == 0 ? 0.004F : 0.6F;  // up to P = 1
    dither[t] = static_cast<std::uint8_t>(37 * t);
    done[t] = static_cast<std::uint8_t>(t % 31);
  }
  for (const Build& build : builds()) {
    bool same = true;
    bool any = false;
    for (long line = 0; line < count; ++line) {
      std::vector<float> own(64);
      std::vector<std::uint8_t> own_draws(64);
      std::vector<std::uint8_t> own_starts(64);
      for (long t = 0; t < 64; ++t) {
        const auto at = static_cast<std::size_t>(t);
        own[at] = values[static_cast<std::size_t>(count * t + line)];
        own_draws[at] = draws[24 * t + line];
        own_starts[at] = starts[16 * t + line];
      }
      std::uint64_t positive = 0;
      std::uint64_t negative = 0;
      build.draw_line({own.data(), scale.data(), dither.data(), done.data(), own_starts.data(),
                       own_draws.data()},
                      line, &positive, &negative);
      for (long t = 0; t < 64; ++t) {
        const auto at = static_cast<std::size_t>(t);
        std::vector<std::uint8_t> memory(4 * 64);
        const TrainLines lines{count, memory.data(), memory.data() + 64, memory.data() + 128,
                               memory.data() + 192};
        build.prepare_lines(lines, values.data() + count * t, scale[at], dither[at],
                            starts + 16 * t, done[at]);
        std::uint64_t up = 0;
        std::uint64_t down = 0;
        build.draw_slots(lines, 1, draws + 24 * t, 24, &up, &down, 1);
        same = same && bit(&up, line) == bit(&positive, t) && bit(&down, line) == bit(&negative, t);
        any = any || bit(&down, line);
      }
    }
    CHECK(same);
    CHECK(any);
  }
}

TEST_CASE("device/train_kernels: the largest value and the signs", "[device][trains]") {
  for (const Build& build : builds()) {
    for (const long count : {1L, 15L, 16L, 17L, 40L}) {
      std::vector<float> values(static_cast<std::size_t>(count), 0.25F);
      values.back() = -2.5F;
      std::uint32_t largest = 0;
      std::uint32_t any = 0;
      build.survey(count, values.data(), &largest, &any);
      CHECK(largest == 0x40200000U);  // 2.5
      CHECK(any >> 31U == 1);
      values.back() = 0;
      build.survey(count, values.data(), &largest, &any);
      CHECK(largest == (count == 1 ? 0U : 0x3e800000U));
      CHECK(any >> 31U == 0);
    }
  }
}

TEST_CASE("device/train_kernels: words become columns", "[device][trains]") {
  const auto rows = random_words(64 * 3, RandomStream(20260706, "test-columns"));
  for (const Build& build : builds()) {
    std::vector<std::uint64_t> out(64 * 2, 5);
    build.transpose_words(rows.data() + 1, 3, out.data(), 2, 50);
    bool same = true;
    for (long k = 0; k < 50; ++k) {
      for (long t = 0; t < 64; ++t) {
        same = same && bit(&out[static_cast<std::size_t>(2 * k)], t) ==
                           bit(&rows[static_cast<std::size_t>(3 * t + 1)], k);
      }
    }
    CHECK(same);
    CHECK(out[2 * 50] == 5);  // no more columns than asked for
    CHECK(out[1] == 5);
  }
}

TEST_CASE("device/train_kernels: sums of listed rows", "[device][trains]") {
  // Random bits with two of three words thinned out, so that lists are long and short ones.
  const RandomStream stream(20260707, "test-sums");
  const long slot_words = 11;
  const long slots = 64 * slot_words;
  for (const long words : {1L, 2L, 3L, 8L, 13L}) {
    int shift = 0;
    while ((1L << shift) < words) ++shift;
    const long half = 1024L << shift;  // words
    auto rows = random_words(static_cast<std::size_t>(2 * half + 8), stream.substream(0));
    for (const long row : {(1024L << shift) - (1L << shift), (2048L << shift) - (1L << shift)}) {
      for (long k = 0; k < words; ++k) rows[static_cast<std::size_t>(row + k)] = 0;
    }
    auto up_bits = random_words(slot_words, stream.substream(1));
    auto down_bits = random_words(slot_words, stream.substream(2));
    for (std::size_t k = 0; k < up_bits.size(); ++k) {
      if (k % 3 != 0) up_bits[k] &= up_bits[(k + 5) % 11] & down_bits[(k + 7) % 11];
      down_bits[k] &= ~up_bits[k];
      if (k == 4) down_bits[k] = 0;
    }
    for (const Build& build : builds()) {
      const long total = 12;
      std::vector<std::uint64_t> up(static_cast<std::size_t>(total * words));
      std::vector<std::uint64_t> down(up.size());
      std::vector<std::uint64_t> alone(up.size());
      long used = 0;
      for (int again = 0; again < 3; ++again) {  // sums go on
        std::vector<std::uint32_t> list(static_cast<std::size_t>(slots + 32));
        long count = build.list_rows(up_bits.data(), down_bits.data(), slot_words, shift,
                                     static_cast<std::uint32_t>(half), 0, list.data());
        const long listed = count;
        while (count % xbar::device::list_step != 0) {
          list[static_cast<std::size_t>(count++)] =
              static_cast<std::uint32_t>(half - (1L << shift));
        }
        build.add_rows(list.data(), count, rows.data(), static_cast<std::uint32_t>(half), words,
                       up.data(), down.data(), words, used, total);
        build.add_rows(list.data(), count, rows.data(), static_cast<std::uint32_t>(half), words,
                       alone.data(), nullptr, words, used, total);
        used = total;
        long expected = 0;
        for (long t = 0; t < slots; ++t) {
          if (bit(up_bits.data(), t) || bit(down_bits.data(), t)) ++expected;
        }
        REQUIRE(listed == expected);
      }
      const long lines = 64 * words - 7;
      std::vector<float> counted(static_cast<std::size_t>(lines));
      std::vector<float> other(counted.size());
      std::vector<float> single(counted.size());
      build.expand_planes(up.data(), words, total, lines, counted.data());
      build.expand_planes(down.data(), words, total, lines, other.data());
      build.expand_planes(alone.data(), words, total, lines, single.data());
      bool same = single == counted;
      for (long k = 0; k < lines; ++k) {
        float expected = 0;
        float beside = 0;
        for (long t = 0; t < slots; ++t) {
          const bool upper = bit(&rows[static_cast<std::size_t>(t << shift)], k);
          const bool lower = bit(&rows[static_cast<std::size_t>(half + (t << shift))], k);
          const float u = bit(up_bits.data(), t) ? 3.0F : 0.0F;
          const float d = bit(down_bits.data(), t) ? 3.0F : 0.0F;
          expected += (upper ? u : 0) + (lower ? d : 0);
          beside += (lower ? u : 0) + (upper ? d : 0);
        }
        same = same && counted[static_cast<std::size_t>(k)] == expected &&
               other[static_cast<std::size_t>(k)] == beside;
      }
      CAPTURE(words);
      REQUIRE(same);
      REQUIRE(*std::max_element(counted.begin(), counted.end()) > 255);  // two bytes of planes
    }
  }
}
