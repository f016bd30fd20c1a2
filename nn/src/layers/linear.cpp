#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/nn/layers/linear.hpp>

#include "im2col.hpp"

namespace xbar::nn {
namespace {

Shape checked_shape(const std::string& name, Index in_features, Index out_features) {
  if (in_features < 1 || out_features < 1) {
    throw InvalidArgument(fmt::format("{}: expected in and out features >= 1, found {} and {}",
                                      name, in_features, out_features));
  }
  return {out_features, in_features};
}

}  // namespace

Linear::Linear(std::string name, Index in_features, Index out_features, bool with_bias)
    : WeightedLayer(name, checked_shape(name, in_features, out_features), with_bias) {}

Shape Linear::output_shape(const Shape& input) const {
  if (input.rank() != 2 || input[1] != in_features()) {
    throw InvalidArgument(fmt::format("{}: expected an input of shape (N, {}), found {}", name(),
                                      in_features(), to_string(input)));
  }
  return {input[0], out_features()};
}

void Linear::compute_forward(const Tensor& x, Tensor& y) {
  multiply_forward(Patches{.channels = in_features()}, x, y, [&] {
    const Index count = x.count();
    const Index in = in_features();
    const Index out = out_features();
    gemm(Op::none, Op::transpose, count, out, in, 1.0F, x.data(), in,
         weight_store().forward_weight().data(), in, 0.0F, y.data(), out);
    if (!has_bias()) return;
    const float* b = bias().store->weight().data();
    for (Index n = 0; n < count; ++n) {
      float* row = y.data() + n * out;
      for (Index j = 0; j < out; ++j) row[j] += b[j];
    }
  });
}

void Linear::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy, Tensor* dx) {
  const Index count = x.count();
  const Index in = in_features();
  const Index out = out_features();
  const Patches patches{.channels = in};
  if (weight_store().takes_signals()) {
    weight_store().take_signals(patches, x, dy);
  } else {
    gemm(Op::transpose, Op::none, out, in, count, 1.0F, dy.data(), out, x.data(), in, 0.0F,
         weight().gradient.data(), in);
    weight_store().backpropagate(weight().gradient);
  }
  if (has_bias()) {
    float* db = bias().gradient.data();
    std::fill(db, db + out, 0.0F);
    for (Index n = 0; n < count; ++n) {
      const float* row = dy.data() + n * out;
      for (Index j = 0; j < out; ++j) db[j] += row[j];
    }
  }
  multiply_backward(patches, x, dy, dx, [&](Tensor& to) {
    gemm(Op::none, Op::none, count, in, out, 1.0F, dy.data(), out,
         weight_store().backward_weight().data(), in, 0.0F, to.data(), in);
  });
}

}  // namespace xbar::nn
