#pragma once

/// From the NAME = VALUE pairs of a user to the values of a model's parameters.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/device/model_parameter.hpp>

namespace xbar::device {

/// @param owner  for messages: "cell sinh"
/// @param given  by name, '-' and '_' alike; the others have their defaults
/// @return in the order of `parameters`
/// @throws InvalidArgument for an unknown name, suggesting the nearest, and for a value that is not
///         within its range
[[nodiscard]] std::vector<double> parameter_values(const std::string& owner,
                                                   std::span<const ModelParameter> parameters,
                                                   const std::map<std::string, double>& given);

/// @throws InvalidArgument "WHAT: expected one of NAMES, got 'FOUND'", suggesting the nearest
[[noreturn]] void refuse_model_name(const std::string& what, std::string_view found,
                                    const std::vector<std::string>& names);

}  // namespace xbar::device
