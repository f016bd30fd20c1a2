#pragma once

/// What the models have in common whose steps are straight lines of x.

#include <xbar/core/isa.hpp>
#include <xbar/device/pulse_model.hpp>

#include "../step_kernels.hpp"

namespace xbar::device {

class AffinePulses : public PulseModel {
 public:
  explicit AffinePulses(const AffineSteps& steps) : steps_(steps) {}

  [[nodiscard]] double up_step(double x) const override {
    return steps_.up_at_0 * (1 - x) + steps_.up_at_1 * x;
  }
  [[nodiscard]] double down_step(double x) const override {
    return steps_.down_at_0 * (1 - x) + steps_.down_at_1 * x;
  }
  void up_steps(std::span<const float> x, std::span<float> step) const override {
    fill(steps_.up_at_0, steps_.up_at_1, x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    fill(steps_.down_at_0, steps_.down_at_1, x, step);
  }
  [[nodiscard]] std::optional<AffineSteps> affine() const override { return steps_; }

 private:
  static void fill(double at_0, double at_1, std::span<const float> x, std::span<float> step) {
    XBAR_DISPATCH(xbar::device, affine_steps)
    (static_cast<long>(x.size()), static_cast<float>(at_0), static_cast<float>(at_1), x.data(),
     step.data());
  }

  AffineSteps steps_;
};

}  // namespace xbar::device
