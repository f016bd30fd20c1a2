#pragma once

/// Arithmetic that the kernel sources of this folder share (core/isa.hpp). All of it is inlined and
/// local to the source that includes it, since each is compiled several times.

#define XBAR_INLINE [[gnu::always_inline]] inline

namespace xbar::device::XBAR_ISA {
namespace {

// A NaN stays one.
XBAR_INLINE float clamped(float x, float low, float high) {
  const float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

constexpr float log2_e = 0x1.715476p0F;
// ln 2 in two parts, the first with so few bits that a small integer times it is exact.
constexpr float ln2_high = 0x1.62e4p-1F;
constexpr float ln2_low = 0x1.7f7d1cp-20F;
constexpr float largest_exponent = 87;  // exp(+-87) are normal numbers

// exp(y) = 2^k exp(r), |r| <= ln2 / 2: the power of 2, and exp(r) - 1 by its Taylor series.
XBAR_INLINE void split_exponential(float y, float& power, float& rest) {
  // Adding this number leaves the nearest integer in the lowest bits.
  constexpr float shift = 0x1.8p23F;
  const float shifted = y * log2_e + shift;
  const float k = shifted - shift;
  const float r = (y - k * ln2_high) - k * ln2_low;
  float series = 1.0F / 5040;
  series = series * r + 1.0F / 720;
  series = series * r + 1.0F / 120;
  series = series * r + 1.0F / 24;
  series = series * r + 1.0F / 6;
  series = series * r + 0.5F;
  rest = r + r * r * series;
  const unsigned bits = __builtin_bit_cast(unsigned, shifted);
  power = __builtin_bit_cast(float, (bits + 127) << 23);
}

// exp(y) and 1 - exp(y) for y <= 0, both with full relative precision.
XBAR_INLINE void decay(float y, float& remaining, float& gone) {
  float power = 0;
  float rest = 0;
  split_exponential(clamped(y, -largest_exponent, 0), power, rest);
  remaining = power + power * rest;
  gone = (1 - power) - power * rest;
}

}  // namespace
}  // namespace xbar::device::XBAR_ISA
