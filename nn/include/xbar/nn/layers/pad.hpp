#pragma once

/// A margin of one value around images.

#include <array>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// Lengths added in front of and behind each axis of an image: channels, height, width.
struct Margins {
  std::array<Index, 3> before{};
  std::array<Index, 3> behind{};
};

/// (N, C, H, W) -> (N, C + before[0] + behind[0], H + ..., W + ...): x with a margin of `value`.
/// dx is the part of dy inside the margin.
class Pad final : public Layer {
 public:
  /// @param value  may be -infinity, for what a maximum must not see
  /// @throws InvalidArgument for a negative length.
  Pad(std::string name, const Margins& margins, float value);
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Margins margins_;
  float value_;
};

}  // namespace xbar::nn
