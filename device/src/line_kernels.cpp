#include "line_kernels.hpp"

#include "kernel_math.hpp"

// No standard algorithms here: this file is compiled for several instruction sets, and an inline
// function shared with other files would be kept in only one of its versions. It is compiled
// without fused multiply-add, so that the results are the same with every instruction set.

namespace xbar::device::XBAR_ISA {

// With e = exp(-nu), E = 1 - e, q = 1 - exp(-nu |d|), and z = 1 - x for a step up, x for one down:
//   |s| = q (e + E z) / E
// which for a step up is (1/E - x) q, with no difference of large numbers, whatever nu.
void asymmetric_steps(long count, float nu, const float* x, const float* d, float* step) {
  float e = 0;
  float E = 0;
  decay(-nu, e, E);
  const float inverse = 1 / E;
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    float p = 0;
    float q = 0;
    decay(-nu * __builtin_fabsf(d[k]), p, q);
    const float room = d[k] > 0 ? 1 - x[k] : x[k];
    const float size = q * (e + E * room) * inverse;
    step[k] = d[k] > 0 ? size : -size;
  }
}

// x = 1/2 + y / (2 T), T = tanh(nu/2), y = tanh(nu p): by the addition theorem, with t = tanh(nu
// |d|),
//   |s| = t (1 - y) (1 + y) / (2 T (1 + t y))      for a step up; y has the other sign for one down
// With p = exp(-2 nu |d|), q = 1 - p, t = q / (1 + p), and c = 1 - T = 2 exp(-nu) / (1 + exp(-nu)):
//   1 + y = c + 2 T x,   1 - y = c + 2 T (1 - x),
//   |s| = q (1 + y) (1 - y) / (2 T (2 p + q (1 + y)))
void symmetric_steps(long count, float nu, const float* x, const float* d, float* step) {
  float e = 0;
  float E = 0;
  decay(-nu, e, E);
  const float c = 2 * e / (1 + e);
  const float double_T = 2 * E / (1 + e);
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    float p = 0;
    float q = 0;
    decay(-2 * nu * __builtin_fabsf(d[k]), p, q);
    const float passed = c + double_T * (d[k] > 0 ? x[k] : 1 - x[k]);
    const float room = c + double_T * (d[k] > 0 ? 1 - x[k] : x[k]);
    const float size = q * passed * room / (double_T * (2 * p + q * passed));
    step[k] = d[k] > 0 ? size : -size;
  }
}

void move_cells(long count, const float* step, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) x[k] = clamped(x[k] + step[k], 0, 1);
}

void move_cells_noisily(long count, float noise, const float* normal, const float* step, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    const float spread = noise * __builtin_sqrtf(__builtin_fabsf(step[k]));
    x[k] = clamped(x[k] + step[k] + spread * normal[k], 0, 1);
  }
}

void exponentials(long count, float scale, float* x) {
#pragma omp simd
  for (long k = 0; k < count; ++k) {
    float power = 0;
    float rest = 0;
    split_exponential(clamped(scale * x[k], -largest_exponent, largest_exponent), power, rest);
    x[k] = power + power * rest;
  }
}

}  // namespace xbar::device::XBAR_ISA
