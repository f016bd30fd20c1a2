#pragma once

/// Values kept within bounds.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y = min(max(x, low), high); ReLU6 is Clip(0, 6). Any shape. A NaN passes. dx = dy where
/// low < x < high, else 0 (PyTorch's hardtanh).
class Clip final : public Layer {
 public:
  /// Either bound may be infinite.
  /// @throws InvalidArgument unless low <= high.
  Clip(std::string name, float low, float high);
  [[nodiscard]] Shape output_shape(const Shape& input) const override { return input; }

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  float low_;
  float high_;
};

}  // namespace xbar::nn
