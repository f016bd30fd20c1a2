#pragma once

/// From images to vectors.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// (N, A, B, ...) -> (N, A B ...), the values as they are.
class Flatten final : public Layer {
 public:
  using Layer::Layer;
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;
};

}  // namespace xbar::nn
