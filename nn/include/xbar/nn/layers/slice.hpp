#pragma once

/// Parts of images.

#include <array>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// Every step-th index of an axis, `count` of them, from `start` on.
struct AxisRange {
  Index start = 0;
  Index step = 1;
  Index count = 1;
};

/// y(n,c,p,q) = x(n, start0 + c step0, start1 + p step1, start2 + q step2) for (N, C, H, W). What
/// is not in y has dx = 0.
class Slice final : public Layer {
 public:
  /// @param ranges  of channels, height, width
  /// @throws InvalidArgument unless start >= 0, step >= 1 and count >= 1.
  Slice(std::string name, const std::array<AxisRange, 3>& ranges);
  /// @throws InvalidArgument also if a range leaves the image.
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  // Calls body(place in the part, place in the whole) for every value of image n's part.
  template <typename Body>
  void for_values(const Shape& whole, Index n, const Body& body) const;

  std::array<AxisRange, 3> ranges_;
};

}  // namespace xbar::nn
