#pragma once

/// Maximum over whole images.

#include <vector>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y(n,c,0,0) = max of x(n,c) over the image: (N, C, H, W) -> (N, C, 1, 1), any H and W; PyTorch's
/// AdaptiveMaxPool2d(1). The gradient goes to the maximum; of several equal ones, to the first in
/// row order. A NaN is the maximum.
class GlobalMaxPool final : public Layer {
 public:
  using Layer::Layer;
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  std::vector<Index> winner_;  // place of the maximum in its image
};

}  // namespace xbar::nn
