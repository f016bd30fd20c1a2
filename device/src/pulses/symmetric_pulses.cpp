// Pulses as requests d = 1/pulses of update.hpp's symmetric model: along x(p) = 1/2 + tanh(nu p) /
// (2 tanh(nu/2)), the same way up and down [Agarwal2016].

#include <algorithm>
#include <array>
#include <cmath>

#include <xbar/core/isa.hpp>

#include "../line_kernels.hpp"
#include "../pulse_kind.hpp"

namespace xbar::device {
namespace {

class SymmetricPulses final : public PulseModel {
 public:
  SymmetricPulses(double nu, double pulses) : nu_(nu), change_(1 / pulses) {}

  [[nodiscard]] std::string_view name() const override { return "symmetric"; }

  // With y = tanh(nu p) = 2 T (x - 1/2), T = tanh(nu/2), and t = tanh(nu d), by the addition
  // theorem: t (1 - y^2) / (2 T (1 + t y)).
  [[nodiscard]] double up_step(double x) const override {
    if (nu_ < 1e-12) return change_;
    const double T = std::tanh(nu_ / 2);
    const double t = std::tanh(nu_ * change_);
    const double y = T * (2 * x - 1);
    return t * (1 - y) * (1 + y) / (2 * T * (1 + t * y));
  }
  [[nodiscard]] double down_step(double x) const override { return up_step(1 - x); }

  void up_steps(std::span<const float> x, std::span<float> step) const override {
    fill(static_cast<float>(change_), x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    fill(static_cast<float>(-change_), x, step);
    for (float& s : step) s = -s;
  }

 private:
  void fill(float change, std::span<const float> x, std::span<float> step) const {
    if (nu_ < 0x1p-25) {  // as in update.cpp
      std::fill(step.begin(), step.end(), change);
      return;
    }
    std::array<float, 256> changes{};
    changes.fill(change);
    for (std::size_t first = 0; first < x.size(); first += changes.size()) {
      const std::size_t count = std::min(changes.size(), x.size() - first);
      XBAR_DISPATCH(xbar::device, symmetric_steps)
      (static_cast<long>(count), static_cast<float>(nu_), x.data() + first, changes.data(),
       step.data() + first);
    }
  }

  double nu_;
  double change_;
};

}  // namespace

PulseKind symmetric_pulses() {
  return {{"symmetric",
           "steps that shrink towards both bounds, the same up and down",
           {{"nonlinearity", "", 0.1, 0, 50, "nu; TxSim recommends at most 0.1 [Roy2021]"},
            {"pulses", "pulses", 100, 1, 1e9, "that cross the range, in either direction"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            return std::make_shared<SymmetricPulses>(values[0], values[1]);
          }};
}

}  // namespace xbar::device
