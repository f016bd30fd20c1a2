#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/avg_pool2d.hpp>

#include "../chunks.hpp"
#include "pool_window.hpp"

namespace xbar::nn {

AvgPool2d::AvgPool2d(std::string name, Index kernel, Index stride)
    : Layer(std::move(name)), kernel_(kernel) {
  if (kernel < 1) {
    throw InvalidArgument(
        fmt::format("{}: expected a kernel >= 1, found {}", this->name(), kernel));
  }
  stride_ = pool_stride(this->name(), kernel, stride);
}

Shape AvgPool2d::output_shape(const Shape& input) const {
  return pool_output_shape(name(), input, kernel_, stride_);
}

void AvgPool2d::compute_forward(const Tensor& x, Tensor& y) {
  const Index width = x.shape()[3];
  const Index in_size = x.shape().volume_from(2);
  const Index rows = y.shape()[2];
  const Index columns = y.shape()[3];
  const float share = 1.0F / static_cast<float>(kernel_ * kernel_);
  for_chunks(x.count() * x.shape()[1], in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      float* to = y.data() + plane * rows * columns;
      for (Index p = 0; p < rows; ++p) {
        for (Index q = 0; q < columns; ++q) {
          const float* window = x.data() + plane * in_size + p * stride_ * width + q * stride_;
          float sum = 0;
          for (Index i = 0; i < kernel_; ++i) {
            for (Index j = 0; j < kernel_; ++j) sum += window[i * width + j];
          }
          *to++ = sum * share;
        }
      }
    }
  });
}

void AvgPool2d::compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) {
  if (dx == nullptr) return;
  const Index width = x.shape()[3];
  const Index in_size = x.shape().volume_from(2);
  const Index rows = y.shape()[2];
  const Index columns = y.shape()[3];
  const float share = 1.0F / static_cast<float>(kernel_ * kernel_);
  for_chunks(x.count() * x.shape()[1], in_size, [&](Index begin, Index end) {
    for (Index plane = begin; plane < end; ++plane) {
      const float* from = dy.data() + plane * rows * columns;
      float* image = dx->data() + plane * in_size;
      std::fill(image, image + in_size, 0.0F);
      for (Index p = 0; p < rows; ++p) {
        for (Index q = 0; q < columns; ++q) {
          float* window = image + p * stride_ * width + q * stride_;
          const float part = share * *from++;
          for (Index i = 0; i < kernel_; ++i) {
            for (Index j = 0; j < kernel_; ++j) window[i * width + j] += part;
          }
        }
      }
    }
  });
}

}  // namespace xbar::nn
