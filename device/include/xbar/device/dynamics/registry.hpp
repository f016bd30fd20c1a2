#pragma once

/// The dynamic models by name.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/device/dynamics/dynamic_cell.hpp>

namespace xbar::device {

/// Parameters that differ from a model's defaults, by name.
using ParameterValues = std::map<std::string, double>;

/// A parameter as --help and reports show it.
struct ParameterInfo {
  std::string name;
  std::string unit;  ///< empty: a pure number
  double standard = 0;
  std::string meaning;
};

/// "vteam", "yakopcic", "stanford-pku", "jart-vcm-v1b".
[[nodiscard]] std::vector<std::string> dynamic_model_names();

/// @throws InvalidArgument for a name that is none of them, with a suggestion; for a parameter that
///         the model does not have, with a suggestion; for a value that it does not take
[[nodiscard]] std::unique_ptr<DynamicCell> make_dynamic_cell(
    std::string_view name, const ParameterValues& parameters = {});

/// The model's parameters with units and defaults. @throws InvalidArgument for an unknown name
[[nodiscard]] std::vector<ParameterInfo> dynamic_model_parameters(std::string_view name);

/// A waveform (text form of waveform.hpp) that shows the model's pinched loop when it starts
/// switched on if positive voltages switch it off, else switched off.
/// @throws InvalidArgument for an unknown name
[[nodiscard]] std::string dynamic_model_waveform(std::string_view name);

}  // namespace xbar::device
