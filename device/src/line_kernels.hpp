#pragma once

/// What happens to the cells of one line, compiled once per instruction set (core/isa.hpp). Arrays
/// are of `count` cells and do not overlap.

#define XBAR_DECLARE_LINE_KERNELS                                                           \
  /* step: s of device/update.hpp for the changes d at the states x; nu > 0 */              \
  void asymmetric_steps(long count, float nu, const float* x, const float* d, float* step); \
  void symmetric_steps(long count, float nu, const float* x, const float* d, float* step);  \
  /* x = clamp(x + s, 0, 1) */                                                              \
  void move_cells(long count, const float* step, float* x);                                 \
  /* x = clamp(x + s + noise sqrt(|s|) normal, 0, 1) */                                     \
  void move_cells_noisily(long count, float noise, const float* normal, const float* step,  \
                          float* x);                                                        \
  /* x = exp(scale x), to 2 units in the last place; scale x beyond +-87 counts as that */  \
  void exponentials(long count, float scale, float* x);

namespace xbar::device {

namespace baseline {
XBAR_DECLARE_LINE_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_LINE_KERNELS
}
namespace avx512 {
XBAR_DECLARE_LINE_KERNELS
}
#endif

}  // namespace xbar::device
