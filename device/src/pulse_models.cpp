#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/pulse_models.hpp>

#include "parameter_values.hpp"
#include "pulse_kind.hpp"

namespace xbar::device {
namespace {

constexpr std::array kinds{linear_pulses,     soft_bounds_pulses, neurosim_pulses,
                           asymmetric_pulses, symmetric_pulses,   exponential_pulses,
                           power_pulses,      piecewise_pulses,   table_pulses};

void check_curves(const PulseModelInfo& info, const PulseCurves& curves) {
  std::vector<std::string> names;
  for (const PulseCurveInfo& curve : info.curves) {
    names.emplace_back(curve.name);
    if (curve.required && !curves.contains(names.back())) {
      throw InvalidArgument(fmt::format("{}: expected {} for the model {}, found none", curve.name,
                                        curve.what, info.name));
    }
  }
  for (const auto& [name, values] : curves) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      refuse_model_name(fmt::format("model {}", info.name), name, names);
    }
    if (values.size() == 0 || !values.allFinite()) {
      throw InvalidArgument(fmt::format("{}: expected finite values, found {}", name,
                                        values.size() == 0 ? "none" : "others"));
    }
  }
}

}  // namespace

std::vector<PulseModelInfo> pulse_model_infos() {
  std::vector<PulseModelInfo> infos;
  for (const auto& kind : kinds) infos.push_back(kind().info);
  return infos;
}

std::shared_ptr<const PulseModel> make_pulse_model(std::string_view name,
                                                   const std::map<std::string, double>& parameters,
                                                   const PulseCurves& curves,
                                                   const ConductanceRange& range) {
  std::vector<std::string> names;
  for (const auto& make_kind : kinds) {
    const PulseKind kind = make_kind();
    names.emplace_back(kind.info.name);
    if (kind.info.name != name) continue;
    const std::vector<double> values =
        parameter_values(fmt::format("model {}", name), kind.info.parameters, parameters);
    check_curves(kind.info, curves);
    return kind.make(values, curves, range);
  }
  refuse_model_name("model", name, names);
}

}  // namespace xbar::device
