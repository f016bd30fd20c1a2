#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>

namespace xbar::device {

double DynamicCell::temperature(double /*volt*/, std::span<const double> /*state*/) const {
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> DynamicCell::state_of_fraction(double fraction) const {
  if (!(fraction >= 0) || !(fraction <= 1)) {
    throw InvalidArgument(fmt::format("fraction: expected 0 to 1, got {}", fraction));
  }
  std::vector<double> state;
  for (const StateVariable& s : states_) state.push_back(std::lerp(s.off, s.on, fraction));
  return state;
}

double DynamicCell::fraction(std::span<const double> state) const {
  const StateVariable& first = states_.front();
  return (state.front() - first.off) / (first.on - first.off);
}

double DynamicCell::conductance(std::span<const double> state) const {
  return current(read_volt(), state) / read_volt();
}

std::vector<double> DynamicCell::state_of_conductance(double siemens) const {
  const double low = conductance(state_of_fraction(0));
  const double high = conductance(state_of_fraction(1));
  // The ends may have been printed and read again.
  constexpr double printed = 1e-9;
  if (!(siemens >= low * (1 - printed)) || !(siemens <= high * (1 + printed))) {
    throw InvalidArgument(fmt::format("conductance: expected {:.6g} to {:.6g} S (at {} V), got {}",
                                      low, high, read_volt(), siemens));
  }
  if (siemens <= low) return state_of_fraction(0);
  if (siemens >= high) return state_of_fraction(1);
  // Logarithms, since conductances go over decades.
  const auto miss = [&](double fraction) {
    return std::log(conductance(state_of_fraction(fraction)) / siemens);
  };
  std::uintmax_t iterations = 200;
  const auto bracket = boost::math::tools::toms748_solve(
      miss, 0.0, 1.0, std::log(std::max(low / siemens, std::numeric_limits<double>::min())),
      std::log(high / siemens), boost::math::tools::eps_tolerance<double>(50), iterations);
  return state_of_fraction(std::midpoint(bracket.first, bracket.second));
}

}  // namespace xbar::device
