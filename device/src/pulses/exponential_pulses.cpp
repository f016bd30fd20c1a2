// aihwkit's exponential step, on x:
//   up(x) = up_step max(1 + up_amplitude exp(-up_rate x), 0)
//   down(x) = down_step max(1 + down_amplitude exp(-down_rate (1 - x)), 0)
// aihwkit has z = 2 a w / (w_max - w_min) + b, which is z0 + z1 x with z1 = 2 a and z0 = b + 2 a
// w_min / (w_max - w_min), and steps 1 - A_up exp(gamma_up z) and 1 - A_down exp(-gamma_down z). So
//   up_amplitude = -A_up exp(gamma_up z0)              up_rate = -gamma_up z1
//   down_amplitude = -A_down exp(-gamma_down (z0 + z1))    down_rate = -gamma_down z1

#include <algorithm>
#include <cmath>

#include <xbar/core/isa.hpp>

#include "../pulse_kind.hpp"
#include "../step_kernels.hpp"

namespace xbar::device {
namespace {

// One direction, with v = x or 1 - x.
struct ExponentialStep {
  double size;
  double amplitude;
  double rate;

  [[nodiscard]] double at(double v) const {
    return size * std::max(1 + amplitude * std::exp(-rate * v), 0.0);
  }
};

class ExponentialPulses final : public PulseModel {
 public:
  ExponentialPulses(const ExponentialStep& up, const ExponentialStep& down)
      : up_(up), down_(down) {}

  [[nodiscard]] std::string_view name() const override { return "exponential"; }
  [[nodiscard]] double up_step(double x) const override { return up_.at(x); }
  [[nodiscard]] double down_step(double x) const override { return down_.at(1 - x); }

  void up_steps(std::span<const float> x, std::span<float> step) const override {
    fill(up_.size, up_.size * up_.amplitude, -up_.rate, x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    fill(down_.size, down_.size * down_.amplitude * std::exp(-down_.rate), down_.rate, x, step);
  }

 private:
  static void fill(double size, double amplitude, double rate, std::span<const float> x,
                   std::span<float> step) {
    XBAR_DISPATCH(xbar::device, exponential_steps)
    (static_cast<long>(x.size()), static_cast<float>(size), static_cast<float>(amplitude),
     static_cast<float>(rate), x.data(), step.data());
  }

  ExponentialStep up_;
  ExponentialStep down_;
};

}  // namespace

PulseKind exponential_pulses() {
  constexpr double largest_rate = 40;        // beyond it steps leave single precision
  constexpr double largest_amplitude = 1e6;  // likewise
  return {{"exponential",
           "steps that change exponentially along the range",
           {{"up_step", "of the range", 0.01, smallest_step, largest_step,
             "of an up pulse far from where its exponential acts"},
            {"up_amplitude", "", -1, -largest_amplitude, largest_amplitude,
             "of the exponential, of up_step, at the lower bound"},
            {"up_rate", "", 5, -largest_rate, largest_rate, "at which it falls along the range"},
            {"down_step", "of the range", 0.01, smallest_step, largest_step,
             "of a down pulse far from where its exponential acts"},
            {"down_amplitude", "", -1, -largest_amplitude, largest_amplitude,
             "of the exponential, of down_step, at the upper bound"},
            {"down_rate", "", 5, -largest_rate, largest_rate,
             "at which it falls along the range, downwards"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            return std::make_shared<ExponentialPulses>(
                ExponentialStep{values[0], values[1], values[2]},
                ExponentialStep{values[3], values[4], values[5]});
          }};
}

}  // namespace xbar::device
