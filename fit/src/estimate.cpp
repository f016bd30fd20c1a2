#include <cmath>

#include <boost/math/distributions/students_t.hpp>

#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

Estimate make_estimate(std::string name, std::string unit, double value, double variance,
                       double freedom) {
  constexpr double upper_tail = 0.025;
  const boost::math::students_t distribution(freedom);
  const double half = boost::math::quantile(boost::math::complement(distribution, upper_tail)) *
                      std::sqrt(variance);
  return {std::move(name), std::move(unit), value, value - half, value + half};
}

}  // namespace xbar::fit
