#include "statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xbar::report::pages {
namespace {

constexpr double two_sided_95 = 1.96;  // standard deviations

double variance(double accuracy, long long images) {
  const auto n = static_cast<double>(images) + 4;
  const double p = (accuracy * static_cast<double>(images) + 2) / n;
  return p * (1 - p) / n;
}

bool usable(double accuracy, long long images) {
  return images > 0 && accuracy >= 0 && accuracy <= 1;
}

}  // namespace

double accuracy_noise(double accuracy, long long images) {
  if (!usable(accuracy, images)) return std::numeric_limits<double>::quiet_NaN();
  return two_sided_95 * std::sqrt(variance(accuracy, images));
}

double difference_noise(double first, double second, long long images) {
  if (!usable(first, images) || !usable(second, images)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return two_sided_95 * std::sqrt(variance(first, images) + variance(second, images));
}

double sign_test(long long put_right, long long spoilt) {
  const auto fewer = static_cast<double>(std::min(put_right, spoilt));
  const double total = static_cast<double>(put_right) + static_cast<double>(spoilt);
  if (!(total > 0)) return 1;
  constexpr double exact_up_to = 1e6;
  if (total > exact_up_to) {  // the normal limit with continuity correction
    return std::min(1.0, std::erfc((total / 2 - fewer - 0.5) / std::sqrt(total / 2)));
  }
  // Logarithms, since 0.5^total underflows.
  double log_term = -total * std::log(2.0);
  double tail = std::exp(log_term);
  for (double k = 0; k < fewer; ++k) {
    log_term += std::log((total - k) / (k + 1));
    tail += std::exp(log_term);
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace xbar::report::pages
