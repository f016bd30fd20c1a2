#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/reshape.hpp>

namespace xbar::nn {

Shape Reshape::output_shape(const Shape& input) const {
  if (input.rank() < 1 || input.volume_from(1) != item_.volume()) {
    throw InvalidArgument(fmt::format("{}: expected an input of {} values an item, found {}",
                                      name(), item_.volume(), to_string(input)));
  }
  return item_.batch(input[0]);
}

void Reshape::compute_forward(const Tensor& x, Tensor& y) {
  std::copy(x.data(), x.data() + x.size(), y.data());
}

void Reshape::compute_backward(const Tensor& /*x*/, const Tensor& /*y*/, const Tensor& dy,
                               Tensor* dx) {
  if (dx != nullptr) std::copy(dy.data(), dy.data() + dy.size(), dx->data());
}

}  // namespace xbar::nn
