#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/hardware_aware_weight.hpp>

namespace xbar::nn {

std::string_view gradient_rule_name(GradientRule rule) {
  return rule == GradientRule::adjoint ? "adjoint" : "straight-through";
}

GradientRule parse_gradient_rule(std::string_view name) {
  for (const GradientRule rule : {GradientRule::adjoint, GradientRule::straight_through}) {
    if (gradient_rule_name(rule) == name) return rule;
  }
  throw InvalidArgument(
      fmt::format("gradients: expected adjoint or straight-through, got '{}'", name));
}

HardwareAwareWeight::HardwareAwareWeight(mapping::CrossbarMatrix matrix, GradientRule rule,
                                         bool learns_range)
    : CrossbarWeight(std::move(matrix)), rule_(rule), master_(this->matrix().weight()) {
  if (learns_range) range_ = LearnedRange{this->matrix().weight_range(), 0};
}

void HardwareAwareWeight::backpropagate(MatrixF& gradient) {
  if (rule_ == GradientRule::adjoint) matrix().backpropagate(gradient);
  if (!range_) return;
  const float range = matrix().weight_range();
  const MatrixF& programmed = matrix().weight();
  double sum = 0;
  for (Index i = 0; i < gradient.size(); ++i) {
    const float w = master_.data()[i];
    float& g = gradient.data()[i];
    if (std::abs(w) > range) {
      sum += static_cast<double>(w > 0 ? g : -g);
      g = 0;
    } else {
      sum += static_cast<double>(g * (programmed.data()[i] - w) / range);
    }
  }
  const float step = matrix().encoder().step();
  const int levels = step > 0 ? static_cast<int>(std::lround(1 / step)) : 1;
  range_->gradient = static_cast<float>(
      sum * mapping::ConvertedRead::range_gradient_scale(gradient.size(), levels));
}

void HardwareAwareWeight::set_learned_range(float range) {
  if (!range_ || range == range_->value) return;
  range_->value = range;
  matrix().set_weight_range(range);
  matrix().reprogram(master_);
}

void HardwareAwareWeight::update(const MatrixF& delta) {
  // What the cells cannot hold is of no use later either.
  master_ += delta;
  if (!range_) {
    const float range = matrix().weight_range();
    master_ = master_.cwiseMax(-range).cwiseMin(range);
  }
  matrix().reprogram(master_);
}

void HardwareAwareWeight::set_weight(const MatrixF& weight) {
  matrix().program(weight);
  master_ = weight;
}

}  // namespace xbar::nn
