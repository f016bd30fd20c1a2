#include "held_out.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace xbar::fit {

double HeldOut::mean_square() const {
  const double squares = std::accumulate(square.begin(), square.end(), 0.0);
  return squares / std::max(1, std::accumulate(count.begin(), count.end(), 0));
}

Difference difference(const HeldOut& a, const HeldOut& b) {
  const std::size_t parts = a.square.size();
  const double readings = std::accumulate(a.count.begin(), a.count.end(), 0.0);
  Difference result;
  std::vector<double> each(parts);
  for (std::size_t u = 0; u < parts; ++u) {
    each[u] = a.square[u] - b.square[u];
    result.mean += each[u] / readings;
  }
  if (parts < 2) return {result.mean, std::numeric_limits<double>::infinity()};
  const double mean = result.mean * readings / static_cast<double>(parts);
  double variance = 0;
  for (const double d : each) variance += (d - mean) * (d - mean);
  variance /= static_cast<double>(parts - 1);
  result.error = std::sqrt(static_cast<double>(parts) * variance) / readings;
  return result;
}

Choice choose(const std::vector<HeldOut>& models) {
  const auto lowest = std::min_element(
      models.begin(), models.end(),
      [](const HeldOut& a, const HeldOut& b) { return a.mean_square() < b.mean_square(); });
  Choice choice{models.size(), {}};
  for (std::size_t k = 0; k < models.size(); ++k) {
    choice.excess.push_back(difference(models[k], *lowest));
    const Difference& excess = choice.excess.back();
    if (choice.best == models.size() && excess.mean <= excess.error) choice.best = k;
  }
  return choice;
}

}  // namespace xbar::fit
