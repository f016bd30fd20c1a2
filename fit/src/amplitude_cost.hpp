#pragma once

/// The least squares of a voltage law: soft bounds that single pulses of varied voltage act on.

#include <array>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/fit/amplitude_data.hpp>

namespace xbar::fit {

/// Which numbers of the law are estimated.
enum class LawKind { none, power, threshold };

/// The values of a fit; conductances are shares of the range of the readings.
struct LawValues {
  static constexpr int size = 6;
  enum At { exponent, threshold, up_bound, up_rate, down_bound, down_rate };  ///< rates: logarithms
  std::array<double, size> value{};
};

/// A pulse as the fit sees it.
struct ScaledPulse {
  bool up = true;
  double share = 0;  ///< v/V
  double before = 0;
  double after = 0;
};

/// State after the pulse. T: double, or ceres::Jet.
/// @param value  LawValues::size of them
template <typename T>
T predicted(LawKind kind, const T* value, const ScaledPulse& pulse) {
  using std::exp;
  using std::pow;
  const T& bound = value[pulse.up ? LawValues::up_bound : LawValues::down_bound];
  const T& rate = value[pulse.up ? LawValues::up_rate : LawValues::down_rate];
  T count(1.0);
  if (kind != LawKind::none) {
    const T& threshold = value[LawValues::threshold];
    const T above = pulse.share - threshold;
    if (!(above > T(0.0))) return T(pulse.before);
    count = pow(above / (1.0 - threshold), value[LawValues::exponent]);
  }
  return bound + (pulse.before - bound) * exp(-exp(rate) * count);
}

/// What a least squares ends with.
struct LawSolution {
  LawValues values;
  Matrix jacobian;  ///< of the residuals, measured less predicted; columns: all values
  Vector residuals;
  double cost = 0;
};

/// Whether a value is at a bound of what is allowed, where it has no interval.
[[nodiscard]] bool is_at_limit(LawValues::At at, double value);

/// Least squares of the pulses; of several starts the best one.
/// @param start  the only one to go on from; null: several that cover what is allowed
/// @throws NumericalError if no step succeeds
[[nodiscard]] LawSolution solve_law(LawKind kind, const std::vector<ScaledPulse>& pulses,
                                    const LawValues* start);

}  // namespace xbar::fit
