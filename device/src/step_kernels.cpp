#include "step_kernels.hpp"

#include "kernel_math.hpp"

// Rules as in line_kernels.cpp: no standard algorithms, no fused multiply-add.

namespace xbar::device::XBAR_ISA {
namespace {

constexpr long block = 64;  // cells at a time, where something is kept about each

XBAR_INLINE long shorter(long a, long b) { return a < b ? a : b; }

// log(v), v > 0 normal: v = 2^e m with 0.7071 <= m < 1.4142, and
// log(m) = 2 atanh(s) = 2 (s + s^3/3 + ...), s = (m - 1)/(m + 1), |s| < 0.1716
XBAR_INLINE float logarithm(float v) {
  const int bits = __builtin_bit_cast(int, v);
  const int exponent = (bits - 0x3f3504f3) >> 23;  // of sqrt(1/2)
  const float m = __builtin_bit_cast(float, bits - exponent * (1 << 23));
  const float s = (m - 1) / (m + 1);
  const float s2 = s * s;
  float series = s2 * (2.0F / 9) + 2.0F / 7;
  series = series * s2 + 2.0F / 5;
  series = series * s2 + 2.0F / 3;
  return static_cast<float>(exponent) * 0x1.62e43p-1F + (s * 2 + s * s2 * series);
}

XBAR_INLINE float exponential(float y) {
  float power = 0;
  float rest = 0;
  split_exponential(clamped(y, -largest_exponent, largest_exponent), power, rest);
  return power + power * rest;
}

// Place of x among n even knots: the piece, and how far along it; the first one for a NaN.
XBAR_INLINE int even_piece(long n, float x, float& along) {
  const float t = clamped(x, 0, 1) * static_cast<float>(n - 1);
  const int last = static_cast<int>(n) - 2;
  const int whole = static_cast<int>(t);
  const int i = whole < 0 ? 0 : whole > last ? last : whole;
  along = t - static_cast<float>(i);
  return i;
}

}  // namespace

void affine_steps(long count, float at_0, float at_1, const float* x, float* step) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float z = clamped(x[k], 0, 1);
    step[k] = at_0 * (1 - z) + at_1 * z;
  }
}

void exponential_steps(long count, float size, float amplitude, float rate, const float* x,
                       float* step) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float s = size + amplitude * exponential(rate * clamped(x[k], 0, 1));
    step[k] = s < 0 ? 0 : s;
  }
}

void power_steps(long count, float size, float exponent, bool falling, const float* x,
                 float* step) {
  constexpr float smallest = 0x1p-126F;
  const float at_zero = exponent > 0 ? 0 : size;
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float z = clamped(x[k], 0, 1);
    const float v = falling ? 1 - z : z;
    const float s = size * exponential(exponent * logarithm(v < smallest ? smallest : v));
    step[k] = v > 0 ? s : at_zero;
  }
}

void even_piecewise_steps(long count, long n, const float* value, const float* x, float* step) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    float along = 0;
    const int i = even_piece(n, x[k], along);
    step[k] = value[i] * (1 - along) + value[i + 1] * along;
  }
}

void piecewise_steps(long count, long n, const float* knot, const float* value, const float* slope,
                     const float* x, float* step) {
  for (long first = 0; first < count; first += block) {
    const long size = shorter(block, count - first);
    int piece[block] = {};
    for (long i = 1; i < n - 1; ++i) {
#pragma omp simd
      for (long k = 0; k < size; ++k) piece[k] += x[first + k] >= knot[i] ? 1 : 0;
    }
#pragma omp simd
    for (long k = 0; k < size; ++k) {
      const int i = piece[k];
      step[first + k] = value[i] + slope[i] * (clamped(x[first + k], 0, 1) - knot[i]);
    }
  }
}

void quantile_steps(long count, long n, long m, const float* value, const float* cumulative,
                    const float* x, const float* u, float* step) {
  int top = 1;
  while (2 * top < m) top *= 2;
  for (long first = 0; first < count; first += block) {
    const long size = shorter(block, count - first);
    float quantile[2][block];
    int row[block];
    float along[block];
#pragma omp simd
    for (long k = 0; k < size; ++k) row[k] = even_piece(n, x[first + k], along[k]);
    for (int side = 0; side < 2; ++side) {
      int place[block] = {};  // of the last value whose probability is not above u, or the first
      for (int stride = top; stride > 0; stride /= 2) {
#pragma omp simd
        for (long k = 0; k < size; ++k) {
          const int further = place[k] + stride;
          const int there = further < m ? further : 0;
          const float p = cumulative[(row[k] + side) * static_cast<int>(m) + there];
          place[k] = further < m && p <= u[first + k] ? further : place[k];
        }
      }
#pragma omp simd
      for (long k = 0; k < size; ++k) {
        const int at = (row[k] + side) * static_cast<int>(m) + place[k];
        const bool inside = place[k] + 1 < m;
        const float below = cumulative[at];
        const float rise = inside ? cumulative[at + (inside ? 1 : 0)] - below : 1;
        const float low = value[place[k]];
        const float width = value[place[k] + (inside ? 1 : 0)] - low;
        const float share = clamped((u[first + k] - below) / (rise > 0 ? rise : 1), 0, 1);
        quantile[side][k] = low + width * share;
      }
    }
#pragma omp simd
    for (long k = 0; k < size; ++k) {
      step[first + k] = quantile[0][k] * (1 - along[k]) + quantile[1][k] * along[k];
    }
  }
}

}  // namespace xbar::device::XBAR_ISA
