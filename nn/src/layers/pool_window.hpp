#pragma once

/// The windows of the pooling layers.

#include <string>

#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// @return the stride that is meant: 0 is the kernel
/// @throws InvalidArgument naming the layer unless stride >= 0
[[nodiscard]] Index pool_stride(const std::string& layer, Index kernel, Index stride);

/// (N, C, (H - kernel) / stride + 1, (W - kernel) / stride + 1) for images (N, C, H, W).
/// @throws InvalidArgument naming the layer unless a window fits into the image
[[nodiscard]] Shape pool_output_shape(const std::string& layer, const Shape& input, Index kernel,
                                      Index stride);

}  // namespace xbar::nn
