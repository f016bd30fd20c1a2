// Steps drawn from measured distributions, such as those of XBTorch's FeMFETs.

#include "../pulse_kind.hpp"
#include "step_table.hpp"

namespace xbar::device {
namespace {

class TablePulses final : public PulseModel {
 public:
  TablePulses(StepTable up, StepTable down) : up_(std::move(up)), down_(std::move(down)) {}

  [[nodiscard]] std::string_view name() const override { return "table"; }
  [[nodiscard]] double up_step(double x) const override { return up_.mean(x); }
  [[nodiscard]] double down_step(double x) const override { return down_.mean(x); }
  void up_steps(std::span<const float> x, std::span<float> step) const override {
    up_.means(x, step);
  }
  void down_steps(std::span<const float> x, std::span<float> step) const override {
    down_.means(x, step);
  }
  [[nodiscard]] bool is_random() const override { return true; }
  void draw_up(std::span<const float> x, std::span<const float> uniform,
               std::span<float> step) const override {
    up_.draw(x, uniform, step);
  }
  void draw_down(std::span<const float> x, std::span<const float> uniform,
                 std::span<float> step) const override {
    down_.draw(x, uniform, step);
  }
  void up_deviations(std::span<const float> x, std::span<float> deviation) const override {
    up_.deviations(x, deviation);
  }
  void down_deviations(std::span<const float> x, std::span<float> deviation) const override {
    down_.deviations(x, deviation);
  }

 private:
  StepTable up_;
  StepTable down_;
};

}  // namespace

PulseKind table_pulses() {
  return {
      {"table",
       "steps drawn from measured distributions at each conductance",
       {},
       {{"up_conductance_siemens", "S", true, "equally spaced conductances over the range"},
        {"up_step_siemens", "S", true, "rising changes of the conductance by an up pulse"},
        {"up_cumulative", "", true, "probabilities of at most such a change, a row a conductance"},
        {"down_conductance_siemens", "S", true, "equally spaced conductances over the range"},
        {"down_step_siemens", "S", true,
         "rising changes of the conductance by a down pulse, mostly negative"},
        {"down_cumulative", "", true,
         "probabilities of at most such a change, a row a conductance"}}},
      [](std::span<const double>, const PulseCurves& curves,
         const ConductanceRange& range) -> std::shared_ptr<const PulseModel> {
        return std::make_shared<TablePulses>(StepTable(curves, "up", 1, range),
                                             StepTable(curves, "down", -1, range));
      }};
}

}  // namespace xbar::device
