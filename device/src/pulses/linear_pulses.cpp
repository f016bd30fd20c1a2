// Every pulse moves the cell by the same step, wherever it is: aihwkit's constant step.

#include "../pulse_kind.hpp"
#include "affine_pulses.hpp"

namespace xbar::device {
namespace {

class LinearPulses final : public AffinePulses {
 public:
  using AffinePulses::AffinePulses;
  [[nodiscard]] std::string_view name() const override { return "linear"; }
};

}  // namespace

PulseKind linear_pulses() {
  return {
      {"linear",
       "steps of one size",
       {{"up_step", "of the range", 0.01, smallest_step, largest_step,
         "step of an up pulse; the default is 100 states"},
        {"down_step", "of the range", 0.01, smallest_step, largest_step, "step of a down pulse"}},
       {}},
      [](std::span<const double> values, const PulseCurves&,
         const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
        return std::make_shared<LinearPulses>(
            AffineSteps{values[0], values[0], values[1], values[1]});
      }};
}

}  // namespace xbar::device
