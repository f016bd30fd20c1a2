#pragma once

/// Mean over windows of an image.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y(n,c,p,q) = 1/kernel^2 sum over i,j < kernel of x(n, c, p*stride + i, q*stride + j), no
/// padding. P = (H - kernel) / stride + 1, rounded down: what is left over at the right and bottom
/// is not seen.
class AvgPool2d final : public Layer {
 public:
  /// @param stride  0: as `kernel`
  /// @throws InvalidArgument unless kernel >= 1 and stride >= 0.
  explicit AvgPool2d(std::string name, Index kernel, Index stride = 0);
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Index kernel_;
  Index stride_ = 0;
};

}  // namespace xbar::nn
