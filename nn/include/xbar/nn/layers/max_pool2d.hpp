#pragma once

/// Maximum over windows of an image.

#include <cstdint>
#include <vector>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y(n,c,p,q) = max over i,j < kernel of x(n, c, p*stride + i, q*stride + j), no padding.
/// P = (H - kernel) / stride + 1, rounded down: what is left over at the right and bottom is not
/// seen. The gradient goes to the maximum; of several equal ones, to the first in row order (as
/// PyTorch). A NaN in the window is the maximum.
class MaxPool2d final : public Layer {
 public:
  /// @param stride  0: as `kernel`
  /// @throws InvalidArgument unless kernel is in [1, 256] and stride is not negative.
  explicit MaxPool2d(std::string name, Index kernel, Index stride = 0);
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Index kernel_;
  Index stride_ = 0;
  std::vector<std::int32_t> winner_;  // place of the maximum in its window, i * kernel + j
};

}  // namespace xbar::nn
