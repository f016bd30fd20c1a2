#pragma once

/// Fully connected layer.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y = x W^T + b for x of shape (N, in), W out x in, y of shape (N, out).
/// Backward: dx = dy W_backward, dW = dy^T x, db = sum over N of dy.
class Linear final : public WeightedLayer {
 public:
  /// @throws InvalidArgument unless both feature counts are positive.
  Linear(std::string name, Index in_features, Index out_features, bool with_bias = true);

  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;
};

}  // namespace xbar::nn
