#include "pool_window.hpp"

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::nn {

Index pool_stride(const std::string& layer, Index kernel, Index stride) {
  if (stride < 0) {
    throw InvalidArgument(
        fmt::format("{}: expected a stride >= 0 (0: as the kernel), found {}", layer, stride));
  }
  return stride == 0 ? kernel : stride;
}

Shape pool_output_shape(const std::string& layer, const Shape& input, Index kernel, Index stride) {
  if (input.rank() != 4 || input[2] < kernel || input[3] < kernel) {
    throw InvalidArgument(
        fmt::format("{}: expected an input of shape (N, C, H, W) with H, W >= {}, found {}", layer,
                    kernel, to_string(input)));
  }
  return {input[0], input[1], (input[2] - kernel) / stride + 1, (input[3] - kernel) / stride + 1};
}

}  // namespace xbar::nn
