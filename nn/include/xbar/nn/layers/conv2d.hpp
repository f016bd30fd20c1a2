#pragma once

/// Two-dimensional convolution.

#include <memory>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

class ConvolutionEngine;

/// Sizes of a convolution; the same stride and zero padding along both axes.
struct Conv2dOptions {
  Index in_channels = 1;
  Index out_channels = 1;
  Index kernel_height = 1;
  Index kernel_width = 1;
  Index stride = 1;   ///< pixels between neighbouring outputs, >= 1
  Index padding = 0;  ///< zeros added on every side, >= 0
  bool with_bias = true;
};

/// y(n,o,p,q) = b(o) + sum over c,i,j of W(o; c,i,j) x(n, c, p*stride + i - padding,
/// q*stride + j - padding), with x = 0 outside the image (cross-correlation, as PyTorch).
///
/// x has shape (N, C, H, W), y (N, O, P, Q), P = (H + 2 padding - kernel_height) / stride + 1,
/// rounded down, and Q likewise. As a matrix, W is O x (C kernel_height kernel_width): one column
/// of the crossbar for an output channel, one input line for an entry of the patch.
/// Backward: dx uses W_backward; dW(o; c,i,j) = sum over n,p,q of dy(n,o,p,q) x(...); db(o) = sum
/// dy. The result does not depend on the number of threads.
class Conv2d final : public WeightedLayer {
 public:
  /// @throws InvalidArgument naming the option that is out of range.
  Conv2d(const std::string& name, const Conv2dOptions& options);
  ~Conv2d() override;

  [[nodiscard]] const Conv2dOptions& options() const { return options_; }
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Conv2dOptions options_;
  std::unique_ptr<ConvolutionEngine> engine_;
};

}  // namespace xbar::nn
