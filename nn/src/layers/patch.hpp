#pragma once

/// One patch of a convolution.

#include <algorithm>

#include <xbar/core/matrix.hpp>

#include "im2col.hpp"

namespace xbar::nn {

/// What the product at position (p, q) takes of one image, without margins: channels x kernel
/// pixels, c-major, 0 outside the image.
inline void gather_patch(const Patches& patches, const float* image, Index p, Index q, float* to) {
  for (Index c = 0; c < patches.channels; ++c) {
    for (Index i = 0; i < patches.kernel_height; ++i) {
      const Index row = p * patches.stride + i - patches.padding;
      for (Index j = 0; j < patches.kernel_width; ++j) {
        const Index column = q * patches.stride + j - patches.padding;
        const bool inside =
            row >= 0 && row < patches.height && column >= 0 && column < patches.width;
        *to++ = inside ? image[(c * patches.height + row) * patches.width + column] : 0.0F;
      }
    }
  }
}

}  // namespace xbar::nn
