// aihwkit's power step: up(x) = up_step (1 - x)^up_exponent, down(x) = down_step x^down_exponent.
// With an exponent of 1 these are soft bounds, with 0 linear steps.

#include <cmath>

#include <xbar/core/isa.hpp>

#include "../pulse_kind.hpp"
#include "../step_kernels.hpp"

namespace xbar::device {
namespace {

class PowerPulses final : public PulseModel {
 public:
  explicit PowerPulses(std::span<const double> values)
      : up_(values[0]), up_exponent_(values[1]), down_(values[2]), down_exponent_(values[3]) {}

  [[nodiscard]] std::string_view name() const override { return "power"; }
  [[nodiscard]] double up_step(double x) const override {
    return up_ * std::pow(1 - x, up_exponent_);
  }
  [[nodiscard]] double down_step(double x) const override {
    return down_ * std::pow(x, down_exponent_);
  }
  void up_steps(std::span<const float> x, std::span<float> step) const override {
    fill(up_, up_exponent_, true, x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    fill(down_, down_exponent_, false, x, step);
  }

 private:
  static void fill(double size, double exponent, bool falling, std::span<const float> x,
                   std::span<float> step) {
    XBAR_DISPATCH(xbar::device, power_steps)
    (static_cast<long>(x.size()), static_cast<float>(size), static_cast<float>(exponent), falling,
     x.data(), step.data());
  }

  double up_;
  double up_exponent_;
  double down_;
  double down_exponent_;
};

}  // namespace

PulseKind power_pulses() {
  constexpr double largest_exponent = 20;
  return {{"power",
           "steps that are a power of the distance to the bound",
           {{"up_step", "of the range", 0.01, smallest_step, largest_step,
             "of an up pulse at the lower bound"},
            {"up_exponent", "", 1, 0, largest_exponent, "of the distance to the upper bound"},
            {"down_step", "of the range", 0.01, smallest_step, largest_step,
             "of a down pulse at the upper bound"},
            {"down_exponent", "", 1, 0, largest_exponent, "of the distance to the lower bound"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            return std::make_shared<PowerPulses>(values);
          }};
}

}  // namespace xbar::device
