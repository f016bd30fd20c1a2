#pragma once

/// Strides and margins of convolutions and pools.

#include <xbar/nn/layers/pad.hpp>

#include "../operators.hpp"

namespace xbar::onnx {

struct Windows {
  Index height = 1;
  Index width = 1;
  Index stride = 1;
  nn::Margins margins{};  ///< of rows and columns
  [[nodiscard]] bool has_margins() const;
  /// Whether all four sides have the same.
  [[nodiscard]] bool is_even() const;
};

/// Reads kernel_shape, strides, pads, auto_pad, dilations and ceil_mode for images of this shape.
/// With ceil_mode the last window may end outside: the margin behind is as wide as that takes.
/// @param kernel  height and width if the weights say them; else kernel_shape has to
[[nodiscard]] Windows windows_of(const Operation& operation, const nn::Shape& images,
                                 const std::vector<Index>& kernel = {});

}  // namespace xbar::onnx
