#include "random_kernels.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <xbar/core/kernel_vectors.hpp>

// No standard algorithms here: this file is compiled for several instruction sets, and an inline
// function shared with other files would be kept in only one of its versions. It is compiled
// without fused multiply-add, and all it does to floats is +, -, *, / and sqrt, which are rounded
// correctly everywhere: so the draws are the same bit by bit.

namespace xbar::XBAR_ISA {
namespace {

#define XBAR_INLINE [[gnu::always_inline]] inline

constexpr long lanes = vector_bytes / 8;   // counters in a register
constexpr long pairs = vector_bytes / 4;   // floats in a register
constexpr long counters = draw_group / 4;  // of a group
constexpr long parts = counters / pairs;   // of a group, each one register of floats a word
static_assert(parts * pairs == counters);

using Words [[gnu::vector_size(vector_bytes), gnu::may_alias]] = std::uint64_t;
using Ints [[gnu::vector_size(vector_bytes)]] = int;
using Unsigned [[gnu::vector_size(vector_bytes)]] = unsigned;
using Float = Vec<float>;

// The products of the lower halves.
XBAR_INLINE Words multiply_low(Words a, Words b) {
#if defined(__AVX512F__)
  // With a mask of all elements: the plain form makes GCC 12 warn of its own header.
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__x86_64__)
  return reinterpret_cast<Words>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffffU) * (b & 0xffffffffU);
#endif
}

XBAR_INLINE Float square_root(Float x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xffff, x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#elif defined(__x86_64__)
  return _mm_sqrt_ps(x);
#else
  for (long e = 0; e < pairs; ++e) x[e] = __builtin_sqrtf(x[e]);
  return x;
#endif
}

// Philox4x32-10 [Salmon2011]. A word is the lower half of an element; what is in the upper half
// does not matter, since products take lower halves only.
XBAR_INLINE void philox(const DrawKey& key, Words (&word)[4]) {
  std::uint32_t k0 = key.key[0];
  std::uint32_t k1 = key.key[1];
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    const Words p0 = multiply_low(word[0], Words{} + 0xD2511F53U);
    const Words p1 = multiply_low(word[2], Words{} + 0xCD9E8D57U);
    word[0] = (p1 >> 32) ^ word[1] ^ (Words{} + k0);
    word[1] = p1;
    word[2] = (p0 >> 32) ^ word[3] ^ (Words{} + k1);
    word[3] = p0;
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
}

// The words of `pairs` counters from `first` on, in their order.
XBAR_INLINE void words_of(const DrawKey& key, std::uint64_t first, Unsigned (&word)[4]) {
  Words number{};
  for (long e = 0; e < lanes; ++e) number[e] = 2 * static_cast<std::uint64_t>(e);
  number += first;
  const Words high = Words{} + key.high;
  Words even[4] = {number, number >> 32, high, high >> 32};
  Words odd[4] = {number + 1, (number + 1) >> 32, high, high >> 32};
  philox(key, even);
  philox(key, odd);
  for (int w = 0; w < 4; ++w) {
    const Words merged = (even[w] & 0xffffffffU) | (odd[w] << 32);
    word[w] = reinterpret_cast<Unsigned>(merged);  // little-endian: even, odd, even, ...
  }
}

XBAR_INLINE Float smaller(Float a, Float b) { return a < b ? a : b; }

// (word + 1/2) / 2^32, at most the largest float below 1. The word as a float by its halves, since
// every instruction set converts signed numbers.
XBAR_INLINE Float to_open_unit(Unsigned word) {
  const Float high = __builtin_convertvector(reinterpret_cast<Ints>(word >> 16), Float);
  const Float low = __builtin_convertvector(reinterpret_cast<Ints>(word & 0xffffU), Float);
  const Float rounded = (high * 0x1p16F + low) * 0x1p-32F + 0x1p-33F;
  return smaller(rounded, all<float>(0x1.fffffep-1F));
}

// log(u), 0 < u < 1 normal: u = 2^e m with 0.7071 <= m < 1.4142, and
// log(m) = 2 atanh(s) = 2 (s + s^3/3 + ...), s = (m - 1)/(m + 1), |s| < 0.1716
XBAR_INLINE Float logarithm(Float u) {
  const Ints bits = reinterpret_cast<Ints>(u) - 0x3f3504f3;  // of sqrt(1/2)
  const Ints exponent = bits >> 23;
  const Float m = reinterpret_cast<Float>(reinterpret_cast<Ints>(u) - (exponent << 23));
  const Float s = (m - 1) / (m + 1);
  const Float s2 = s * s;
  Float series = s2 * (2.0F / 9) + 2.0F / 7;
  series = series * s2 + 2.0F / 5;
  series = series * s2 + 2.0F / 3;
  const Float fraction = s * 2 + s * s2 * series;
  return __builtin_convertvector(exponent, Float) * 0x1.62e43p-1F + fraction;
}

// Cosine and sine of 2 pi word / 2^32, by quarters of a turn: the two upper bits say which, the
// other bits how far from its middle, r in [-pi/4, pi/4). The turn is shifted by an eighth, which
// makes no difference to a uniform angle.
XBAR_INLINE void cosine_sine(Unsigned word, Float& cosine, Float& sine) {
  const Ints offset = reinterpret_cast<Ints>(word << 2) >> 2;  // 30 bits, signed
  const Float r = __builtin_convertvector(offset, Float) * (0x1.921fb6p2F * 0x1p-32F);
  const Float r2 = r * r;
  Float s = r2 * (1.0F / 362880) - 1.0F / 5040;
  s = s * r2 + 1.0F / 120;
  s = s * r2 - 1.0F / 6;
  s = r + r * r2 * s;
  Float c = r2 * (1.0F / 40320) - 1.0F / 720;
  c = c * r2 + 1.0F / 24;
  c = c * r2 - 0.5F;
  c = 1 + r2 * c;
  // Quarter q: (c, s), (-s, c), (-c, -s), (s, -c).
  const Ints swapped = reinterpret_cast<Ints>(word << 1) >> 31;
  const Unsigned sine_sign = word & 0x80000000U;
  const Unsigned cosine_sign = (word ^ (word << 1)) & 0x80000000U;
  cosine = reinterpret_cast<Float>(reinterpret_cast<Unsigned>(swapped ? s : c) ^ cosine_sign);
  sine = reinterpret_cast<Float>(reinterpret_cast<Unsigned>(swapped ? c : s) ^ sine_sign);
}

XBAR_INLINE void put(float* out, Float value) { store_some<float>(out, value, pairs); }

}  // namespace

void word_groups(const DrawKey& key, std::uint64_t first_group, long groups, std::uint32_t* out) {
  using Loose [[gnu::vector_size(vector_bytes), gnu::may_alias, gnu::aligned(4)]] = unsigned;
  for (long g = 0; g < groups; ++g, out += draw_group) {
    const std::uint64_t first = (first_group + static_cast<std::uint64_t>(g)) * counters;
    for (long part = 0; part < parts; ++part) {
      Unsigned word[4];
      words_of(key, first + static_cast<std::uint64_t>(part * pairs), word);
      for (int w = 0; w < 4; ++w) {
        *reinterpret_cast<Loose*>(out + w * counters + part * pairs) = word[w];
      }
    }
  }
}

void listed_words(const DrawKey& key, const std::uint64_t* counters, long count,
                  std::uint32_t* out) {
  using Pair [[gnu::may_alias, gnu::aligned(4)]] = std::uint64_t;
  constexpr long together = 2 * lanes;  // the products of one while those of the other are awaited
  const Words high = Words{} + key.high;
  auto* to = reinterpret_cast<Pair*>(out);
  for (long first = 0; first < count; first += together, to += 2 * together) {
    const long some = count - first < together ? count - first : together;
    alignas(vector_bytes) std::uint64_t number[together] = {};
    for (long e = 0; e < some; ++e) number[e] = counters[first + e];
    alignas(vector_bytes) std::uint64_t pairs[2][together];
    for (long part = 0; part < together; part += lanes) {
      const Words from = *reinterpret_cast<const Words*>(number + part);
      Words word[4] = {from, from >> 32, high, high >> 32};
      philox(key, word);
      for (int pair = 0; pair < 2; ++pair) {
        *reinterpret_cast<Words*>(pairs[pair] + part) =
            (word[2 * pair] & 0xffffffffU) | (word[2 * pair + 1] << 32);
      }
    }
    for (long e = 0; e < some; ++e) {
      to[2 * e] = pairs[0][e];
      to[2 * e + 1] = pairs[1][e];
    }
  }
}

void uniform_groups(const DrawKey& key, std::uint64_t first_group, long groups, float* out) {
  for (long g = 0; g < groups; ++g, out += draw_group) {
    const std::uint64_t first = (first_group + static_cast<std::uint64_t>(g)) * counters;
    for (long part = 0; part < parts; ++part) {
      Unsigned word[4];
      words_of(key, first + static_cast<std::uint64_t>(part * pairs), word);
      for (int w = 0; w < 4; ++w) put(out + w * counters + part * pairs, to_open_unit(word[w]));
    }
  }
}

void normal_groups(const DrawKey& key, std::uint64_t first_group, long groups, float* out) {
  for (long g = 0; g < groups; ++g, out += draw_group) {
    const std::uint64_t first = (first_group + static_cast<std::uint64_t>(g)) * counters;
    for (long part = 0; part < parts; ++part) {
      Unsigned word[4];
      words_of(key, first + static_cast<std::uint64_t>(part * pairs), word);
      for (int w = 0; w < 4; w += 2) {
        const Float radius = square_root(logarithm(to_open_unit(word[w])) * -2);
        Float cosine;
        Float sine;
        cosine_sine(word[w + 1], cosine, sine);
        put(out + w * counters + part * pairs, radius * cosine);
        put(out + (w + 1) * counters + part * pairs, radius * sine);
      }
    }
  }
}

}  // namespace xbar::XBAR_ISA
