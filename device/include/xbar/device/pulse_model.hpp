#pragma once

/// What one programming pulse makes of a cell: the mean step against where the cell is.

#include <optional>
#include <span>
#include <string_view>

namespace xbar::device {

/// Steps that are straight lines of x, by their values at the ends of the range.
struct AffineSteps {
  double up_at_0 = 0;
  double up_at_1 = 0;
  double down_at_0 = 0;
  double down_at_1 = 0;
};

/// The mean response to identical pulses. States are positions in the cell's own range,
///   x = (G - g_lower) / (g_upper - g_lower) in [0, 1],
/// steps are shares of that range, in either direction >= 0 (a measured mean may be negative where
/// the device does not do as it is told): one up pulse takes x to
/// clamp(x + up(x), 0, 1), one down pulse to clamp(x - down(x), 0, 1).
class PulseModel {
 public:
  virtual ~PulseModel() = default;

  /// The name in device files.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// Plain and in double precision: what fits work with, and the reference of the fast ones.
  [[nodiscard]] virtual double up_step(double x) const = 0;
  [[nodiscard]] virtual double down_step(double x) const = 0;

  /// The same for the cells of one line, vectorised. step and x have one length and do not overlap.
  virtual void up_steps(std::span<const float> x, std::span<float> step) const = 0;
  virtual void down_steps(std::span<const float> x, std::span<float> step) const = 0;

  /// The same as straight lines, where they are: a faster way for many cells.
  [[nodiscard]] virtual std::optional<AffineSteps> affine() const { return {}; }

  /// Whether each pulse draws its step from a measured distribution, of which up_step is the mean.
  [[nodiscard]] virtual bool is_random() const { return false; }
  /// Such a step from a uniform draw in (0, 1): the quantile function at x. It may be negative.
  /// @pre is_random()
  virtual void draw_up(std::span<const float> /*x*/, std::span<const float> /*uniform*/,
                       std::span<float> /*step*/) const {}
  virtual void draw_down(std::span<const float> /*x*/, std::span<const float> /*uniform*/,
                         std::span<float> /*step*/) const {}
  /// The standard deviation of such steps at x, which the sum of very many is drawn with.
  /// @pre is_random()
  virtual void up_deviations(std::span<const float> /*x*/, std::span<float> /*deviation*/) const {}
  virtual void down_deviations(std::span<const float> /*x*/, std::span<float> /*deviation*/) const {
  }
};

}  // namespace xbar::device
