#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/padded_shortcut.hpp>

#include "../chunks.hpp"

namespace xbar::nn {
namespace {

// Calls visit(place in the small image, place in the large one) for every pixel that passes.
template <typename Visit>
void for_each_pixel(const Shape& large, const Shape& small, Index stride, const Visit& visit) {
  const Index width = large[3];
  Index place = 0;
  for (Index p = 0; p < small[2]; ++p) {
    for (Index q = 0; q < small[3]; ++q) visit(place++, p * stride * width + q * stride);
  }
}

}  // namespace

PaddedShortcut::PaddedShortcut(std::string name, Index in_channels, Index out_channels,
                               Index stride)
    : Layer(std::move(name)),
      in_channels_(in_channels),
      out_channels_(out_channels),
      stride_(stride) {
  if (in_channels < 1 || out_channels < in_channels) {
    throw InvalidArgument(
        fmt::format("{}: expected 1 <= in_channels <= out_channels, found {} and {}", this->name(),
                    in_channels, out_channels));
  }
  if (stride < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected a stride >= 1, found {}", this->name(), stride));
  }
}

Shape PaddedShortcut::output_shape(const Shape& input) const {
  if (input.rank() != 4 || input[1] != in_channels_ || input.volume_from(2) < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected an input of shape (N, {}, H, W) with H, W >= 1, found {}", name(),
                    in_channels_, to_string(input)));
  }
  return {input[0], out_channels_, (input[2] - 1) / stride_ + 1, (input[3] - 1) / stride_ + 1};
}

void PaddedShortcut::compute_forward(const Tensor& x, Tensor& y) {
  y.fill(0);
  const Index first = (out_channels_ - in_channels_) / 2;
  const Index in_size = x.shape().volume_from(2);
  const Index out_size = y.shape().volume_from(2);
  for_chunks(x.count() * in_channels_, in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const Index target = plane / in_channels_ * out_channels_ + first + plane % in_channels_;
      const float* from = x.data() + plane * in_size;
      float* to = y.data() + target * out_size;
      for_each_pixel(x.shape(), y.shape(), stride_,
                     [=](Index small, Index large) { to[small] = from[large]; });
    }
  });
}

void PaddedShortcut::compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy,
                                      Tensor* dx) {
  if (dx == nullptr) return;
  dx->fill(0);
  const Index first = (out_channels_ - in_channels_) / 2;
  const Index in_size = x.shape().volume_from(2);
  const Index out_size = y.shape().volume_from(2);
  for_chunks(x.count() * in_channels_, in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const Index source = plane / in_channels_ * out_channels_ + first + plane % in_channels_;
      const float* from = dy.data() + source * out_size;
      float* to = dx->data() + plane * in_size;
      for_each_pixel(x.shape(), y.shape(), stride_,
                     [=](Index small, Index large) { to[large] = from[small]; });
    }
  });
}

}  // namespace xbar::nn
