#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/conv2d.hpp>

#include "convolution_engine.hpp"
#include "im2col.hpp"

namespace xbar::nn {
namespace {

Shape checked_shape(const std::string& name, const Conv2dOptions& options) {
  const auto check = [&](const char* field, Index value, Index least) {
    if (value < least) {
      throw InvalidArgument(
          fmt::format("{}: expected {} >= {}, found {}", name, field, least, value));
    }
  };
  check("in_channels", options.in_channels, 1);
  check("out_channels", options.out_channels, 1);
  check("kernel_height", options.kernel_height, 1);
  check("kernel_width", options.kernel_width, 1);
  check("stride", options.stride, 1);
  check("padding", options.padding, 0);
  return {options.out_channels, options.in_channels, options.kernel_height, options.kernel_width};
}

Patches patches_of(const Conv2dOptions& options, const Shape& input, const Shape& output) {
  return {.channels = options.in_channels,
          .height = input[2],
          .width = input[3],
          .kernel_height = options.kernel_height,
          .kernel_width = options.kernel_width,
          .stride = options.stride,
          .padding = options.padding,
          .out_height = output[2],
          .out_width = output[3]};
}

// One sum a channel, over images and positions: the gradient of the biases.
void sum_over_positions(const Tensor& dy, float* sums) {
  const Index channels = dy.shape()[1];
  const Index positions = dy.shape()[2] * dy.shape()[3];
  std::fill_n(sums, channels, 0.0F);
  const float* from = dy.data();
  for (Index n = 0; n < dy.count(); ++n) {
    for (Index c = 0; c < channels; ++c, from += positions) {
      float sum = 0;
#pragma omp simd reduction(+ : sum)
      for (Index p = 0; p < positions; ++p) sum += from[p];
      sums[c] += sum;
    }
  }
}

}  // namespace

Conv2d::Conv2d(const std::string& name, const Conv2dOptions& options)
    : WeightedLayer(name, checked_shape(name, options), options.with_bias),
      options_(options),
      engine_(std::make_unique<ConvolutionEngine>(name, options)) {}

Conv2d::~Conv2d() = default;

Shape Conv2d::output_shape(const Shape& input) const {
  const Index pad = 2 * options_.padding;
  if (input.rank() != 4 || input[1] != options_.in_channels ||
      input[2] + pad < options_.kernel_height || input[3] + pad < options_.kernel_width) {
    throw InvalidArgument(fmt::format(
        "{}: expected an input of shape (N, {}, H, W) with H >= {} and W >= {}, found {}", name(),
        options_.in_channels, std::max<Index>(0, options_.kernel_height - pad),
        std::max<Index>(0, options_.kernel_width - pad), to_string(input)));
  }
  return {input[0], options_.out_channels,
          (input[2] + pad - options_.kernel_height) / options_.stride + 1,
          (input[3] + pad - options_.kernel_width) / options_.stride + 1};
}

void Conv2d::compute_forward(const Tensor& x, Tensor& y) {
  multiply_forward(patches_of(options_, x.shape(), y.shape()), x, y, [&] {
    engine_->forward(x, weight_store().forward_weight().data(),
                     has_bias() ? bias().store->weight().data() : nullptr, y);
  });
}

void Conv2d::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy, Tensor* dx) {
  const Patches patches = patches_of(options_, x.shape(), dy.shape());
  float* bias_gradient = has_bias() ? bias().gradient.data() : nullptr;
  if (weight_store().takes_signals()) {
    weight_store().take_signals(patches, x, dy);
    if (has_bias()) sum_over_positions(dy, bias_gradient);
  } else {
    engine_->weight_gradient(x, dy, weight().gradient.data(), bias_gradient);
    weight_store().backpropagate(weight().gradient);
  }
  multiply_backward(patches, x, dy, dx, [&](Tensor& to) {
    engine_->input_gradient(dy, weight_store().backward_weight().data(), to);
  });
}

}  // namespace xbar::nn
