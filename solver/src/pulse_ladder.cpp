#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/integrate.hpp>
#include <xbar/solver/pulse_ladder.hpp>

namespace xbar::solver {
namespace {

constexpr double first_move = 0.01;
constexpr double full_move = 0.9;
constexpr double least_volt = 1e-3;
constexpr double usual_volt = 2.5;
constexpr double steep = 1.8;
constexpr double most_volt = 20;
constexpr double shortest_second = 1e-9;
constexpr int decades = 8;
constexpr double steps = 40;
constexpr double margin = 2;
// States that are tried, as shares of the range of ln G.
constexpr std::array ways{0.0, 0.125, 0.25, 0.5, 0.75};
constexpr std::array aims{0.2, 0.1, 0.05, 0.02};
constexpr double growth = 2;

// Pulses on the cell by itself.
class Trial {
 public:
  Trial(const device::DynamicCell& cell, WriteDirection direction)
      : cell_(cell),
        set_(direction == WriteDirection::set),
        sign_(set_ ? cell.set_sign() : -cell.set_sign()),
        off_(cell.conductance(cell.state_of_fraction(0))),
        range_(std::log(cell.conductance(cell.state_of_fraction(1)) / off_)),
        integrator_(cell, 1e-6) {}

  struct Amplitudes {
    double start = 0;
    double full = 0;
  };

  [[nodiscard]] std::optional<Amplitudes> amplitudes(double second) {
    const auto full =
        edge([&](double volt) { return after(volt, second, 0).reading >= full_move; }, most_volt);
    if (!full) return {};
    const auto start = edge(
        [&](double volt) {
          for (const double from : ways) {
            const Move move = after(volt, second, from);
            if (std::max(move.reading, move.state) > first_move) return true;
          }
          return false;
        },
        full->second);
    // Below least_volt there is no start.
    const double first = start ? std::max(start->first, least_volt) : full->second;
    return Amplitudes{first, full->second};
  }

  // The largest of `aims` that does not run away.
  [[nodiscard]] double aim(double second) {
    for (const double aim : aims) {
      const bool calm = std::all_of(ways.begin(), ways.end(), [&](double way) {
        const auto volt = edge(
            [&](double v) { return after(v, second, way).reading * range_ >= aim; }, most_volt);
        return !volt || after(volt->second, 2 * second, way).reading * range_ <= (1 + growth) * aim;
      });
      if (calm) return aim;
    }
    return aims.back();
  }

 private:
  // As shares of the ranges of ln G and of the state, positive in the direction.
  struct Move {
    double reading = 0;
    double state = 0;
  };

  // From a state that has covered `way` of the range of ln G.
  [[nodiscard]] Move after(double volt, double second, double way) {
    std::vector<double> x =
        cell_.state_of_conductance(off_ * std::exp(range_ * (set_ ? way : 1 - way)));
    const double fraction = cell_.fraction(x);
    const double siemens = cell_.conductance(x);
    (void)integrator_.move(sign_ * volt, sign_ * volt, second, 0, x);
    const double direction = set_ ? 1 : -1;
    return {direction * std::log(cell_.conductance(x) / siemens) / range_,
            direction * (cell_.fraction(x) - fraction)};
  }

  // Where `enough` begins to hold, as the voltage grows: a voltage just below, and one just above.
  template <typename Enough>
  [[nodiscard]] static std::optional<std::pair<double, double>> edge(const Enough& enough,
                                                                     double limit) {
    constexpr double factor = 1.1;
    constexpr double close = 1 + 1e-6;
    double low = 0;
    double high = least_volt;
    while (!enough(high)) {
      if (high >= limit) return {};
      low = high;
      high = std::min(high * factor, limit);
    }
    while (low > 0 && high > low * close) {
      const double middle = std::midpoint(low, high);
      (enough(middle) ? high : low) = middle;
    }
    return std::pair{low, high};
  }

  const device::DynamicCell& cell_;
  bool set_;
  int sign_;
  double off_;
  double range_;  // of ln G
  device::CellIntegrator integrator_;
};

}  // namespace

std::string_view write_direction_name(WriteDirection direction) {
  return direction == WriteDirection::set ? "set" : "reset";
}

PulseLadder suggest_pulse_ladder(const device::DynamicCell& cell, WriteDirection direction,
                                 double volt_share) {
  if (!(volt_share > 0) || !(volt_share <= 1)) {
    throw InvalidArgument(
        fmt::format("volt_share: expected more than 0 and up to 1, got {}", volt_share));
  }
  Trial trial(cell, direction);
  std::optional<PulseLadder> best;
  double best_volt = std::numeric_limits<double>::infinity();
  double second = shortest_second;
  for (int k = 0; k < decades; ++k, second *= 10) {
    const auto found = trial.amplitudes(second);
    if (!found) continue;
    const auto [start, full] = *found;
    const bool narrow = full <= usual_volt && full <= steep * start;
    if (!narrow && (best_volt <= usual_volt || full >= best_volt)) continue;
    best_volt = full;
    best = PulseLadder{.pulse_second = second,
                       .start_volt = start,
                       .step_volt = std::max(full - start, 1e-3 * full) / steps,
                       .max_volt = margin * full / volt_share};
    if (narrow) break;
  }
  if (best) {
    best->aim = trial.aim(best->pulse_second);
    return *best;
  }
  throw NumericalError(fmt::format(
      "pulse ladder: no pulse of up to {} V and {:.0e} s takes the cell over {:.0f} % of its range "
      "({}); give the amplitudes",
      most_volt, second / 10, 100 * full_move, write_direction_name(direction)));
}

}  // namespace xbar::solver
