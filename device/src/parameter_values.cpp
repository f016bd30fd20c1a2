#include "parameter_values.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::device {
namespace {

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

void refuse_model_name(const std::string& what, std::string_view found,
                       const std::vector<std::string>& names) {
  throw InvalidArgument(
      fmt::format("{}: expected {}, got '{}'{}", what,
                  names.empty() ? "no parameter" : fmt::format("one of {}", fmt::join(names, ", ")),
                  found, did_you_mean(found, names)));
}

std::vector<double> parameter_values(const std::string& owner,
                                     std::span<const ModelParameter> parameters,
                                     const std::map<std::string, double>& given) {
  std::vector<double> values;
  std::vector<std::string> names;
  for (const ModelParameter& parameter : parameters) {
    values.push_back(parameter.value);
    names.emplace_back(parameter.name);
  }
  for (const auto& [name, value] : given) {
    const auto found = std::find(names.begin(), names.end(), with_underscores(name));
    if (found == names.end()) refuse_model_name(owner, name, names);
    const auto k = static_cast<std::size_t>(found - names.begin());
    const ModelParameter& parameter = parameters[k];
    if (!(value >= parameter.lowest && value <= parameter.highest)) {
      throw InvalidArgument(fmt::format("{}: expected {} to {} {}, got {}", parameter.name,
                                        parameter.lowest, parameter.highest, parameter.unit,
                                        value));
    }
    values[k] = value;
  }
  return values;
}

}  // namespace xbar::device
