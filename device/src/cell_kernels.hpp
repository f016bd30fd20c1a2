#pragma once

/// Currents and derivatives of many cells, compiled once per instruction set (core/isa.hpp). For
/// each of `count` cells: G siemens, v volt; out: I ampere, dI/dv siemens. The arrays do not
/// overlap.

#define XBAR_DECLARE_CELL_KERNELS                                                               \
  /* I = G sinh(alpha v) / alpha; alpha > 0. Sine is good to 2.5, cosine to 2 units in the last \
     place for |alpha v| <= 700 and stay what they are beyond. */                               \
  void sinh_cells(long count, double alpha, const double* G, const double* v, double* I,        \
                  double* derivative);                                                          \
  /* I = G sinh(alpha x) / alpha = (v - x) / access_ohm; alpha, access_ohm > 0 */               \
  void sinh_series_cells(long count, double access_ohm, double alpha, const double* G,          \
                         const double* v, double* I, double* derivative);                       \
  /* I = ampere sinh(x / volt) = G (v - x) */                                                   \
  void selector_cells(long count, double ampere, double volt, const double* G, const double* v, \
                      double* I, double* derivative);                                           \
  /* I = k/2 (max(Vo, 0)^2 - max(Vo - x, 0)^2) (1 + lambda |x|) = G (v - x), Vo one a cell */   \
  void transistor_cells(long count, double k, double lambda, const double* Vo, const double* G, \
                        const double* v, double* I, double* derivative);

namespace xbar::device {

namespace baseline {
XBAR_DECLARE_CELL_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_CELL_KERNELS
}
namespace avx512 {
XBAR_DECLARE_CELL_KERNELS
}
#endif

}  // namespace xbar::device
