// Pulses as requests d = 1/pulses of update.hpp's asymmetric model: up along x(p) = (1 - exp(-nu
// p)) / (1 - exp(-nu)), down along its mirror image [Agarwal2016].

#include "../pulse_kind.hpp"
#include "affine_pulses.hpp"
#include "exponential_curve.hpp"

namespace xbar::device {
namespace {

class AsymmetricPulses final : public AffinePulses {
 public:
  using AffinePulses::AffinePulses;
  [[nodiscard]] std::string_view name() const override { return "asymmetric"; }
};

}  // namespace

PulseKind asymmetric_pulses() {
  return {{"asymmetric",
           "steps that shrink exponentially with the pulses, towards the bound that they approach",
           {{"nonlinearity", "", 0.1, 0, 50, "nu; TxSim recommends at most 0.1 [Roy2021]"},
            {"pulses", "pulses", 100, 1, 1e9, "that cross the range, in either direction"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            const auto [low, high] = exponential_curve_steps(values[0], 1 / values[1]);
            return std::make_shared<AsymmetricPulses>(AffineSteps{low, high, high, low});
          }};
}

}  // namespace xbar::device
