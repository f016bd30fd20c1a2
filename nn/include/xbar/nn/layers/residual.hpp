#pragma once

/// Two chains side by side, added up.

#include <xbar/nn/layers/chain.hpp>
#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// What follows the sum of a residual layer.
enum class AfterSum {
  relu,
  nothing,
};

/// y = max(main(x) + shortcut(x), 0), or the bare sum [He2016]. A shortcut without layers is the
/// identity. Layers inside carry their full names, "layer1.0.conv1".
class Residual final : public Layer {
 public:
  Residual(std::string name, Chain main, Chain shortcut = {}, AfterSum after = AfterSum::relu);

  /// @throws InvalidArgument also if the chains' outputs differ in shape.
  [[nodiscard]] Shape output_shape(const Shape& input) const override;
  [[nodiscard]] std::vector<Parameter*> parameters() override;
  [[nodiscard]] bool is_trainable() const override;
  [[nodiscard]] std::vector<Buffer*> buffers() override;
  [[nodiscard]] std::vector<Layer*> children() const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  Chain main_;
  Chain shortcut_;
  AfterSum after_;
  Tensor sum_gradient_;  // dy where the ReLU lets it through
};

}  // namespace xbar::nn
