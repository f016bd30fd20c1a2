#pragma once

/// The same values under another shape.

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// (N, A, B, ...) -> (N, item shape), the values as they are.
class Reshape final : public Layer {
 public:
  /// @param item  shape of one item of the output, without the batch axis
  Reshape(std::string name, const Shape& item) : Layer(std::move(name)), item_(item) {}
  /// @throws InvalidArgument also if the items differ in volume.
  [[nodiscard]] Shape output_shape(const Shape& input) const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Shape item_;
};

}  // namespace xbar::nn
