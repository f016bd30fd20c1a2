#pragma once

/// Mean over whole images.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y(n,c,0,0) = mean of x(n,c) over the image: (N, C, H, W) -> (N, C, 1, 1), any H and W;
/// PyTorch's AdaptiveAvgPool2d(1).
class GlobalAvgPool final : public Layer {
 public:
  using Layer::Layer;
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;
};

}  // namespace xbar::nn
