#pragma once

#include <algorithm>
#include <vector>

namespace xbar::fit {

/// The upper median; 0 of no values.
inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace xbar::fit
