// Steps that shrink linearly towards the bound that they approach, aihwkit's linear step:
//   up(x) = up_step (1 - up_slope x),   down(x) = down_step (1 - down_slope (1 - x))
// With a slope of 1 the step is 0 at the bound: soft bounds.

#include "../pulse_kind.hpp"
#include "affine_pulses.hpp"

namespace xbar::device {
namespace {

class SoftBoundsPulses final : public AffinePulses {
 public:
  using AffinePulses::AffinePulses;
  [[nodiscard]] std::string_view name() const override { return "soft-bounds"; }
};

}  // namespace

PulseKind soft_bounds_pulses() {
  return {{"soft-bounds",
           "steps that shrink linearly towards the bound",
           {{"up_step", "of the range", 0.01, smallest_step, largest_step,
             "step of an up pulse at the lower bound"},
            {"down_step", "of the range", 0.01, smallest_step, largest_step,
             "step of a down pulse at the upper bound"},
            {"up_slope", "", 1, 0, 1, "share of the up step that is gone at the upper bound"},
            {"down_slope", "", 1, 0, 1, "share of the down step that is gone at the lower bound"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            const double up = values[0];
            const double down = values[1];
            return std::make_shared<SoftBoundsPulses>(
                AffineSteps{up, up * (1 - values[2]), down * (1 - values[3]), down});
          }};
}

}  // namespace xbar::device
