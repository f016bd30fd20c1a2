#pragma once

/// Inner loops of the time steps over whole fields, compiled once per instruction set
/// (core/isa.hpp). Fields are m x n without padding; arrays need no alignment.

#define XBAR_DECLARE_TRANSIENT_KERNELS                                                             \
  /* out = C (k0 x0 + k1 x1 + k2 x2), elementwise; C null: 1 */                                    \
  void combine(long count, const double* C, const double* k, const double* x0, const double* x1,   \
               const double* x2, double* out);                                                     \
  /* largest |k0 x0 + k1 x1 + k2 x2 + k3 x3| */                                                    \
  double largest_combination(long count, const double* k, const double* x0, const double* x1,      \
                             const double* x2, const double* x3);                                  \
  /* sum of G (u - w)^2, wordline (u - u to the right)^2 and bitline (w - w below)^2, of           \
     conductances m x n; the last column of `wordline` and the last row of `bitline` are not there \
   */                                                                                              \
  double dissipation(long m, long n, const double* G, const double* wordline,                      \
                     const double* bitline, const double* u, const double* w);

namespace xbar::solver {
namespace baseline {
XBAR_DECLARE_TRANSIENT_KERNELS
}
namespace avx2 {
XBAR_DECLARE_TRANSIENT_KERNELS
}
namespace avx512 {
XBAR_DECLARE_TRANSIENT_KERNELS
}
}  // namespace xbar::solver
