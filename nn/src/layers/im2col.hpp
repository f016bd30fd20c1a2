#pragma once

/// Convolutions as matrix products: the matrix whose columns are the patches of a batch of images.
/// Compiled once per instruction set (core/isa.hpp).

namespace xbar::nn {

/// The patches that a convolution looks at. Row (c,i,j) of their matrix, c-major, holds
/// x(n, c, p*stride + i - padding, q*stride + j - padding), 0 outside the image; column (n,p,q),
/// n-major, is a position. The images of the functions below have their margins of `padding`
/// pixels on every side, so that all lines of positions are whole.
struct Patches {
  long channels = 0;
  long height = 1;
  long width = 1;
  long kernel_height = 1;
  long kernel_width = 1;
  long stride = 1;
  long padding = 0;
  long out_height = 1;
  long out_width = 1;
};

#define XBAR_DECLARE_IM2COL(isa)                                                            \
  namespace isa {                                                                           \
  /* Columns first .. first+count-1 of one row, from images one after the other. */         \
  void gather_patch_row(const Patches& patches, const float* images, long row, long first,  \
                        long count, float* values);                                         \
  /* Adds them to where they came from. */                                                  \
  void scatter_patch_row(const Patches& patches, const float* values, long row, long first, \
                         long count, float* images);                                        \
  }

XBAR_DECLARE_IM2COL(baseline)
#if defined(__x86_64__)
XBAR_DECLARE_IM2COL(avx2)
XBAR_DECLARE_IM2COL(avx512)
#endif

}  // namespace xbar::nn
