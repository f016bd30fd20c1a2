#pragma once

/// Rectified linear unit.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y = max(x, 0); dx = dy where x > 0, else 0. Any shape. A NaN stays a NaN.
class Relu final : public Layer {
 public:
  using Layer::Layer;
  [[nodiscard]] Shape output_shape(const Shape& input) const override { return input; }

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;
};

}  // namespace xbar::nn
