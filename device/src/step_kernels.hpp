#pragma once

/// Steps of the pulse models, compiled once per instruction set (core/isa.hpp). Arrays are of
/// `count` cells and do not overlap; x beyond [0, 1] counts as its end.

#define XBAR_DECLARE_STEP_KERNELS                                                                 \
  /* step = at_0 (1 - x) + at_1 x */                                                              \
  void affine_steps(long count, float at_0, float at_1, const float* x, float* step);             \
  /* step = max(size + amplitude exp(rate x), 0), |rate x| beyond 87 counts as that */            \
  void exponential_steps(long count, float size, float amplitude, float rate, const float* x,     \
                         float* step);                                                            \
  /* step = size v^exponent, v = 1 - x or x; exponent >= 0, and 0^0 = 1 */                        \
  void power_steps(long count, float size, float exponent, bool falling, const float* x,          \
                   float* step);                                                                  \
  /* step linear between the values at the knots x = 0, 1/(n - 1), ..., 1 */                      \
  void even_piecewise_steps(long count, long n, const float* value, const float* x, float* step); \
  /* step linear between the values at n rising knots, the first at 0, the last at 1; slope[i]    \
     is that behind knot i */                                                                     \
  void piecewise_steps(long count, long n, const float* knot, const float* value,                 \
                       const float* slope, const float* x, float* step);                          \
  /* step = the u-quantiles of the distributions at x: linear in x between those of n rows, at    \
     x = 0, 1/(n - 1), ..., 1, each of m cumulative probabilities that do not fall, of m rising   \
     values, linear between them; what lies below the first and above the last is their value */  \
  void quantile_steps(long count, long n, long m, const float* value, const float* cumulative,    \
                      const float* x, const float* u, float* step);

namespace xbar::device {

namespace baseline {
XBAR_DECLARE_STEP_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_STEP_KERNELS
}
namespace avx512 {
XBAR_DECLARE_STEP_KERNELS
}
#endif

}  // namespace xbar::device
