#pragma once

/// The shortcut of residual networks that has no parameters.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// Every stride-th pixel of both axes, between channels of zeros: option A of [He2016]. From C to
/// O channels, with f = (O - C) / 2, rounded down,
///   y(n,o,p,q) = x(n, o - f, p*stride, q*stride) for f <= o < f + C, else 0.
class PaddedShortcut final : public Layer {
 public:
  /// @throws InvalidArgument unless 1 <= in_channels <= out_channels and stride >= 1.
  PaddedShortcut(std::string name, Index in_channels, Index out_channels, Index stride);
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Index in_channels_;
  Index out_channels_;
  Index stride_;
};

}  // namespace xbar::nn
