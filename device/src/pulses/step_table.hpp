#pragma once

/// Measured distributions of the step of one pulse: at each conductance the probabilities of steps
/// up to a value, as XBTorch's tables have them.

#include <span>
#include <string>
#include <vector>

#include <xbar/device/pulse_models.hpp>

namespace xbar::device {

/// One direction of the model table. Between rows quantiles are linear in x, within a row the
/// probability is linear between the values; what it says below the first value and above the last
/// is at those.
class StepTable {
 public:
  /// @param direction  "up" or "down": reads the curves DIRECTION_conductance_siemens, n equally
  ///        spaced values over the device's range, DIRECTION_step_siemens, m rising changes of the
  ///        conductance, and DIRECTION_cumulative, n x m
  /// @param sign  of the change that is a step: 1 up, -1 down
  /// @throws InvalidArgument naming the curve
  StepTable(const PulseCurves& curves, const std::string& direction, double sign,
            const ConductanceRange& range);

  [[nodiscard]] double mean(double x) const { return between(means_, x); }
  [[nodiscard]] double deviation(double x) const { return between(deviations_, x); }
  void means(std::span<const float> x, std::span<float> step) const;
  void deviations(std::span<const float> x, std::span<float> deviation) const;
  void draw(std::span<const float> x, std::span<const float> uniform, std::span<float> step) const;

 private:
  [[nodiscard]] static double between(const std::vector<double>& values, double x);
  void find_moments(std::size_t row);

  std::vector<double> values_;      // m steps, shares of the range, rising
  std::vector<double> cumulative_;  // n x m
  std::vector<double> means_;       // n
  std::vector<double> deviations_;
  std::vector<float> fast_values_;
  std::vector<float> fast_cumulative_;
  std::vector<float> fast_means_;
  std::vector<float> fast_deviations_;
};

}  // namespace xbar::device
