#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/flatten.hpp>

namespace xbar::nn {

Shape Flatten::output_shape(const Shape& input) const {
  if (input.rank() < 2) {
    throw InvalidArgument(fmt::format("{}: expected an input of shape (N, A, ...), found {}",
                                      name(), to_string(input)));
  }
  return {input[0], input.volume_from(1)};
}

void Flatten::compute_forward(const Tensor& x, Tensor& y) {
  std::copy(x.data(), x.data() + x.size(), y.data());
}

void Flatten::compute_backward(const Tensor& /*x*/, const Tensor& /*y*/, const Tensor& dy,
                               Tensor* dx) {
  if (dx != nullptr) std::copy(dy.data(), dy.data() + dy.size(), dx->data());
}

}  // namespace xbar::nn
