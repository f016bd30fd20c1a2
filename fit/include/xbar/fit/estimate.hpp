#pragma once

#include <string>

namespace xbar::fit {

/// A number and where it lies with 95 % confidence.
struct Estimate {
  std::string name;
  std::string unit;
  double value = 0;
  double low = 0;  ///< NaN, as high: at a bound of what is allowed, or not determined by the data
  double high = 0;
};

/// Of a value with a normal error: Student's t with so many degrees of freedom.
/// @param variance  NaN: no interval
[[nodiscard]] Estimate make_estimate(std::string name, std::string unit, double value,
                                     double variance, double freedom);

}  // namespace xbar::fit
