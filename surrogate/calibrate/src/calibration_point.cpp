#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::surrogate {
namespace {

constexpr Index most_lines = 4096;

// In the order of WeightDistribution.
constexpr std::array<std::string_view, 3> distribution_names{"uniform", "clustered", "sparse"};

void check_lines(const char* field, Index lines) {
  if (lines < 1 || lines > most_lines) {
    throw InvalidArgument(fmt::format("{}: expected 1 to {}, got {}", field, most_lines, lines));
  }
}

/// Shares x of the range, drawn cell by cell.
class WeightDraws {
 public:
  WeightDraws(WeightDistribution distribution, std::uint64_t seed)
      : distribution_(distribution),
        value_(RandomStream(seed, "calibration-array").substream(0)),
        choice_(RandomStream(seed, "calibration-array").substream(1)) {}

  [[nodiscard]] double operator()(std::uint64_t cell) const {
    switch (distribution_) {
      case WeightDistribution::uniform:
        break;
      case WeightDistribution::clustered:
        if (choice_.uniform(cell) < 0.5) return 0;
        return std::min(1.0, 0.15 * std::abs(value_.normal(cell)));
      case WeightDistribution::sparse:
        if (choice_.uniform(cell) < 0.9) return 0;
        break;
    }
    return value_.uniform(cell);
  }

 private:
  WeightDistribution distribution_;
  RandomStream value_;
  RandomStream choice_;
};

}  // namespace

WeightDistribution parse_distribution(std::string_view name) {
  for (std::size_t k = 0; k < distribution_names.size(); ++k) {
    if (distribution_names[k] == name) return static_cast<WeightDistribution>(k);
  }
  const std::vector<std::string> names(distribution_names.begin(), distribution_names.end());
  throw InvalidArgument(fmt::format("distribution: expected one of {}, got '{}'{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

std::string_view distribution_name(WeightDistribution distribution) {
  return distribution_names[static_cast<std::size_t>(distribution)];
}

void check_calibration_point(const CalibrationPoint& point) {
  check_lines("rows", point.rows);
  check_lines("columns", point.columns);
  (void)device::conductance_range(point.on_ohm, point.on_off_ratio);
  check_wires(point.wires);
  if (!(point.density > 0 && point.density <= 1)) {
    throw InvalidArgument(
        fmt::format("density: expected more than 0 and at most 1, got {}", point.density));
  }
  if (!(point.sinh_alpha >= 0) || std::isinf(point.sinh_alpha)) {
    throw InvalidArgument(
        fmt::format("sinh-alpha: expected 0 or more, finite, 1/V, got {}", point.sinh_alpha));
  }
  if (!(point.input_volt > 0) || std::isinf(point.input_volt)) {
    throw InvalidArgument(
        fmt::format("input-volt: expected more than 0, finite, volt, got {}", point.input_volt));
  }
}

Matrix random_conductance(const CalibrationPoint& point, std::uint64_t seed) {
  const device::ConductanceRange range =
      device::conductance_range(point.on_ohm, point.on_off_ratio);
  const WeightDraws share(point.distribution, seed);
  Matrix conductance(point.rows, point.columns);
  for (Index e = 0; e < conductance.size(); ++e) {
    conductance.data()[e] = range.g_min + range.width() * share(static_cast<std::uint64_t>(e));
  }
  return conductance;
}

}  // namespace xbar::surrogate
