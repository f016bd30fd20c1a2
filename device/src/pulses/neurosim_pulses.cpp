// NeuroSim's LTP and LTD: pulses walk along G(P) = Gmin + B (1 - exp(-P/A)), B so that the range is
// crossed in Pmax pulses [Peng2021]. On x it is (1 - exp(-nu p)) / (1 - exp(-nu)), p = P/Pmax, and
// nu = Pmax/A belongs to the label of non-linearity. Up pulses go up along the curve of their
// label, down pulses down along that of theirs, whose negative labels mean that the first down
// pulses from the top are the largest.

#include <xbar/device/neurosim_label.hpp>

#include "../pulse_kind.hpp"
#include "affine_pulses.hpp"
#include "exponential_curve.hpp"
#include "neurosim_steps.hpp"

namespace xbar::device {

std::pair<double, double> neurosim_up_steps(double nu, double pulses) {
  return exponential_curve_steps(nu, 1 / pulses);
}

std::pair<double, double> neurosim_down_steps(double nu, double pulses) {
  // x(p) - x(p - d) is, seen from the top, a step up along the mirrored curve.
  const auto [at_1, at_0] = exponential_curve_steps(-nu, 1 / pulses);
  return {at_0, at_1};
}

namespace {

class NeurosimPulses final : public AffinePulses {
 public:
  using AffinePulses::AffinePulses;
  [[nodiscard]] std::string_view name() const override { return "neurosim"; }
};

}  // namespace

PulseKind neurosim_pulses() {
  return {{"neurosim",
           "NeuroSim's exponential LTP and LTD curves, by their labels of non-linearity",
           {{"up_nonlinearity", "", 2.4, -largest_neurosim_label, largest_neurosim_label,
             "label of LTP; the defaults are NeuroSim's Ag:a-Si [Peng2021]"},
            {"down_nonlinearity", "", -4.88, -largest_neurosim_label, largest_neurosim_label,
             "label of LTD, negative where the largest down steps are those from the top"},
            {"up_pulses", "pulses", 97, 1, 1e9, "that cross the range upwards"},
            {"down_pulses", "pulses", 100, 1, 1e9, "that cross the range downwards"}},
           {}},
          [](std::span<const double> values, const PulseCurves&,
             const ConductanceRange&) -> std::shared_ptr<const PulseModel> {
            const auto up = neurosim_up_steps(neurosim_exponent(values[0]), values[2]);
            const auto down = neurosim_down_steps(neurosim_exponent(values[1]), values[3]);
            return std::make_shared<NeurosimPulses>(
                AffineSteps{up.first, up.second, down.first, down.second});
          }};
}

}  // namespace xbar::device
