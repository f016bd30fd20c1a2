#pragma once

/// Errors on readings that a fit has not seen, and what they say of two models.

#include <vector>

namespace xbar::fit {

/// Sums of squared errors over the parts that were held out, one after the other.
struct HeldOut {
  std::vector<double> square;  ///< sum over the readings of a part
  std::vector<int> count;
  [[nodiscard]] double mean_square() const;
};

/// The mean difference of the squared errors of two models on the same parts, and its standard
/// error over the parts.
struct Difference {
  double mean = 0;
  double error = 0;
};
[[nodiscard]] Difference difference(const HeldOut& a, const HeldOut& b);

/// What each model's errors are above those of the best, and the first (simplest) model that is
/// within one standard error of it.
struct Choice {
  std::size_t best = 0;
  std::vector<Difference> excess;
};
[[nodiscard]] Choice choose(const std::vector<HeldOut>& models);

}  // namespace xbar::fit
