#pragma once

/// From the NAME=VALUE pairs of a user to the struct of a model's parameters.

#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/dynamics/registry.hpp>

namespace xbar::device {

enum class Allowed { any, positive, not_negative, negative, zero_or_one, plus_or_minus_one };

/// A row of a model's table: the name, unit and meaning of a member of its parameters.
template <typename Parameters>
struct ParameterRow {
  std::string_view name;
  std::string_view unit;
  double Parameters::*member;
  Allowed allowed;
  std::string_view meaning;
};

[[nodiscard]] inline bool is_allowed(Allowed allowed, double value) {
  if (!std::isfinite(value)) return false;
  switch (allowed) {
    case Allowed::any:
      return true;
    case Allowed::positive:
      return value > 0;
    case Allowed::not_negative:
      return value >= 0;
    case Allowed::negative:
      return value < 0;
    case Allowed::zero_or_one:
      return value == 0 || value == 1;
    case Allowed::plus_or_minus_one:
      return value == 1 || value == -1;
  }
  return false;
}

[[nodiscard]] inline std::string_view in_words(Allowed allowed) {
  switch (allowed) {
    case Allowed::any:
      return "a finite number";
    case Allowed::positive:
      return "a finite number > 0";
    case Allowed::not_negative:
      return "a finite number >= 0";
    case Allowed::negative:
      return "a finite number < 0";
    case Allowed::zero_or_one:
      return "0 or 1";
    case Allowed::plus_or_minus_one:
      return "1 or -1";
  }
  return "";
}

/// @throws InvalidArgument "model MODEL: NAME: expected ..., got ..." for the first value that is
///         not allowed
template <typename Parameters, std::size_t n>
void check_parameters(std::string_view model, const ParameterRow<Parameters> (&rows)[n],
                      const Parameters& parameters) {
  for (const auto& row : rows) {
    const double value = parameters.*row.member;
    if (is_allowed(row.allowed, value)) continue;
    throw InvalidArgument(fmt::format("model {}: {}: expected {}, got {}", model, row.name,
                                      in_words(row.allowed), value));
  }
}

/// The defaults with `values` put over them.
/// @throws InvalidArgument for a name that is not in the table
template <typename Parameters, std::size_t n>
[[nodiscard]] Parameters read_parameters(std::string_view model,
                                         const ParameterRow<Parameters> (&rows)[n],
                                         const ParameterValues& values) {
  Parameters parameters;
  for (const auto& [name, value] : values) {
    bool found = false;
    std::vector<std::string> names;
    for (const auto& row : rows) {
      names.emplace_back(row.name);
      if (row.name != name) continue;
      parameters.*row.member = value;
      found = true;
    }
    if (found) continue;
    throw InvalidArgument(fmt::format("model {}: unknown parameter '{}', expected one of {}{}",
                                      model, name, fmt::join(names, ", "),
                                      did_you_mean(name, names)));
  }
  return parameters;
}

template <typename Parameters, std::size_t n>
[[nodiscard]] std::vector<ParameterInfo> describe_parameters(
    const ParameterRow<Parameters> (&rows)[n]) {
  const Parameters defaults;
  std::vector<ParameterInfo> result;
  for (const auto& row : rows) {
    result.push_back({std::string(row.name), std::string(row.unit), defaults.*row.member,
                      std::string(row.meaning)});
  }
  return result;
}

}  // namespace xbar::device
