#pragma once

/// What the positions of a convolution's signals have, compiled once per instruction set
/// (core/isa.hpp). Sizes are the bits of |value|: as integers they are in the order of the values,
/// NaN last.

#include <cstdint>

namespace xbar::nn {

#define XBAR_DECLARE_SIGNAL_KERNELS                                                           \
  /* The largest size of each position; values are lines x positions. */                      \
  void largest_sizes(long lines, long positions, const float* values, std::int32_t* largest); \
  /* largest[k] = max(largest[k], size of values[k]); all bits of the values or-ed. */        \
  std::int32_t raise_to_sizes(long count, const float* values, std::int32_t* largest);        \
  /* largest[k] = max(largest[k], sizes[stride k]) */                                         \
  void raise(long count, const std::int32_t* sizes, long stride, std::int32_t* largest);      \
  /* Numbers k of those whose `d` is above 0, and their d and x side by side; how many. */    \
  long list_positions(long count, const std::int32_t* d, const std::int32_t* x,               \
                      std::int32_t* numbers, float* listed_d, float* listed_x);

namespace baseline {
XBAR_DECLARE_SIGNAL_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_SIGNAL_KERNELS
}
namespace avx512 {
XBAR_DECLARE_SIGNAL_KERNELS
}
#endif

}  // namespace xbar::nn
