#pragma once

/// The pulse models by name.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/device/model_parameter.hpp>
#include <xbar/device/pulse_model.hpp>

namespace xbar::device {

using PulseParameter = ModelParameter;

/// What a model takes besides numbers: a list (n x 1) or a matrix.
struct PulseCurveInfo {
  std::string_view name;
  std::string_view unit;
  bool required = true;
  std::string_view what;
};

/// A model, its parameters and curves, for help texts and reports.
struct PulseModelInfo {
  std::string_view name;
  std::string_view what;
  std::vector<PulseParameter> parameters;
  std::vector<PulseCurveInfo> curves;
};

/// By the names of PulseModelInfo::curves.
using PulseCurves = std::map<std::string, Matrix>;

/// All models. Steps are shares of the range, x is the place in it; what is written for up pulses
/// holds for down pulses with the parameters of theirs and 1 - x in place of x, unless said:
///
///     linear       up_step
///     soft-bounds  up_step (1 - up_slope x)
///     neurosim     one pulse along G(P) = Gmin + B (1 - exp(-P/A)), A by the label; down pulses go
///                  back along a curve of their own, with its label's sign [Peng2021]
///     asymmetric   update.hpp with d = 1/pulses [Agarwal2016]
///     symmetric    update.hpp with d = 1/pulses
///     exponential  up_step max(1 + up_amplitude exp(-up_rate x), 0)
///     power        up_step (1 - x)^up_exponent
///     piecewise    linear between the values of a curve
///     table        drawn from measured distributions of the step at each conductance
[[nodiscard]] std::vector<PulseModelInfo> pulse_model_infos();

/// @param parameters  by name, '-' and '_' alike; the others have their defaults
/// @param range  of the device: what curves in siemens are relative to
/// @throws InvalidArgument for an unknown model, parameter or curve, suggesting the nearest; for a
///         value outside its range; for a curve that is missing or cannot be used
[[nodiscard]] std::shared_ptr<const PulseModel> make_pulse_model(
    std::string_view name, const std::map<std::string, double>& parameters = {},
    const PulseCurves& curves = {}, const ConductanceRange& range = {});

}  // namespace xbar::device
