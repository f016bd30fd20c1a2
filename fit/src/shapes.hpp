#pragma once

/// The pulse models as fits see them: which of their parameters are estimated.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xbar/device/pulse_models.hpp>

namespace xbar::fit {

/// One number that is estimated.
struct FreeParameter {
  std::string name;
  std::string unit;
  double lowest = 0;
  double highest = 0;
};

/// What make_pulse_model takes.
struct ShapeValues {
  std::map<std::string, double> parameters;
  device::PulseCurves curves;
};

/// A pulse model with free parameters.
struct Shape {
  std::string name;
  std::vector<FreeParameter> free;
  /// Whether the bounds of the range are estimated too, where they are not given. Where a model's
  /// steps do not show where its bounds are, they are those of the readings.
  bool fits_range = false;
  /// Whether the free parameters are those of one cell, CellScale: a, with up and down steps times
  /// a, and b, with up steps times 1 + b and down steps times 1 - b. The model is the same for all.
  bool is_cell = false;
  std::shared_ptr<const device::PulseModel> fixed;  ///< that model
  /// All that the model takes from the free parameters.
  std::function<ShapeValues(std::span<const double>)> setting;
  /// Where to start from; the best of them goes on.
  std::vector<std::vector<double>> starts;

  [[nodiscard]] std::shared_ptr<const device::PulseModel> make(
      std::span<const double> values) const;
};

/// What the readings say before any fit.
struct Facts {
  double up_step = 0;    ///< mean step of a pulse upwards, share of the range; > 0
  double down_step = 0;  ///< the same downwards
  int up_pulses = 0;     ///< of the longest run upwards
  int down_pulses = 0;
  bool range_given = false;  ///< the bounds of the range are known
};

/// The shapes of the models named, simplest first; all where none is.
/// @throws InvalidArgument for a name that no fit knows, suggesting the nearest
[[nodiscard]] std::vector<Shape> make_shapes(const std::vector<std::string>& names,
                                             const Facts& facts);

}  // namespace xbar::fit
