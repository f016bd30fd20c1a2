#pragma once

/// The two ladder recursions of one tile, compiled once per instruction set (core/isa.hpp).

#define XBAR_DECLARE_LADDER_KERNELS                                                               \
  /* out = a G b for a tile of m wordlines and n bitlines, row-major; factor: k or nullptr (all   \
     ones); scratch: 2 m n + m + n elements. out may not alias conductance. */                    \
  void ladder_tile_float(long m, long n, const float* conductance, const float* factor,           \
                         float source_ohm, float sink_ohm, float wordline_ohm, float bitline_ohm, \
                         float* scratch, float* out);                                             \
  void ladder_tile_double(long m, long n, const double* conductance, const double* factor,        \
                          double source_ohm, double sink_ohm, double wordline_ohm,                \
                          double bitline_ohm, double* scratch, double* out);

namespace xbar::surrogate {

namespace baseline {
XBAR_DECLARE_LADDER_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_LADDER_KERNELS
}
namespace avx512 {
XBAR_DECLARE_LADDER_KERNELS
}
#endif

}  // namespace xbar::surrogate
