#pragma once

/// Digital weights that are read through crossbar arrays.

#include <optional>
#include <string_view>

#include <xbar/nn/crossbar_weight.hpp>

namespace xbar::nn {

/// How a gradient gets from the wired arrays to digital weights.
enum class GradientRule {
  adjoint,           ///< through the surrogate: the derivative of what the arrays compute
  straight_through,  ///< as if the arrays computed what they are programmed to
};

/// @throws InvalidArgument for a name that is not adjoint or straight-through.
[[nodiscard]] GradientRule parse_gradient_rule(std::string_view name);
[[nodiscard]] std::string_view gradient_rule_name(GradientRule rule);

/// Weights in digital memory that are written to arrays, without write noise, for every forward
/// pass (hardware-aware training): updates are exact, reads are wired. The backward pass is
/// digital: by the effective weights (adjoint) or the digital ones (straight through).
class HardwareAwareWeight final : public CrossbarWeight {
 public:
  /// @param learns_range  whether the largest weight that the cells hold is trained too
  /// [Esser2020]:
  ///   with W_q what is programmed for W at range r, dL/dr = sum dL/dW_q (W_q - W)/r within the
  ///   range and dL/dW_q sign(W) beyond it, divided by sqrt(weights x levels); weights beyond it
  ///   get no gradient. Else weights are clipped to the range.
  HardwareAwareWeight(mapping::CrossbarMatrix matrix, GradientRule rule, bool learns_range);

  [[nodiscard]] const MatrixF& weight() const override { return master_; }
  [[nodiscard]] const MatrixF& backward_weight() const override {
    return rule_ == GradientRule::adjoint ? forward_weight() : master_;
  }
  [[nodiscard]] mapping::ConvertedRead* converted_backward() override { return nullptr; }
  void backpropagate(MatrixF& gradient) override;
  void update(const MatrixF& delta) override;
  void set_weight(const MatrixF& weight) override;
  [[nodiscard]] const LearnedRange* learned_range() const override {
    return range_ ? &*range_ : nullptr;
  }
  void set_learned_range(float range) override;

 private:
  GradientRule rule_;
  std::optional<LearnedRange> range_;
  MatrixF master_;
};

}  // namespace xbar::nn
