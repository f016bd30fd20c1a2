#pragma once

/// One number that a model takes, for help texts and reports.

#include <string_view>

namespace xbar::device {

struct ModelParameter {
  std::string_view name;  ///< with its unit where it has a plain one: "access_ohm"
  std::string_view unit;
  double value = 0;  ///< the default
  double lowest = 0;
  double highest = 0;
  std::string_view source;  ///< what it is and where the default comes from
};

}  // namespace xbar::device
