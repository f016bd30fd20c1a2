#pragma once

/// Measured error and cost of the surrogates for a technology.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate/model_kind.hpp>

namespace xbar::surrogate {

/// How the weights of an array are spread. x in [0, 1] is the share of the way from g_min to g_max.
enum class WeightDistribution {
  uniform,    ///< x uniform in [0, 1]
  clustered,  ///< half the cells at 0 (the pair's other polarity), the rest |normal|, sigma 0.15
  sparse,     ///< nine cells in ten at 0, the rest uniform
};

/// "uniform", "clustered", "sparse". @throws InvalidArgument for another name
[[nodiscard]] WeightDistribution parse_distribution(std::string_view name);
[[nodiscard]] std::string_view distribution_name(WeightDistribution distribution);

/// A point of the space of technologies: arrays of one kind and what they are driven by.
struct CalibrationPoint {
  Index rows = 64;
  Index columns = 64;
  double on_ohm = 20e3;
  double on_off_ratio = 10;
  WireResistance wires = {.source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 1, .bitline_ohm = 1};
  WeightDistribution distribution = WeightDistribution::uniform;
  double density = 0.5;     ///< share of inputs that are not 0, in (0, 1]
  double sinh_alpha = 0;    ///< 1/volt: cells I = G sinh(alpha v)/alpha; 0: ohmic
  double input_volt = 0.2;  ///< largest input; matters for sinh_alpha > 0 only

  friend bool operator==(const CalibrationPoint&, const CalibrationPoint&) = default;
};

/// @throws InvalidArgument naming the field that is out of range
void check_calibration_point(const CalibrationPoint& point);

/// A random array of the point, siemens: RandomStream(seed, "calibration-array").
[[nodiscard]] Matrix random_conductance(const CalibrationPoint& point, std::uint64_t seed);

struct MeasureOptions {
  Index arrays = 3;   ///< random arrays
  Index inputs = 64;  ///< random sparse input vectors an array
  std::uint64_t seed = 1;
  /// The ratio members' last exact refresh lies one update back: every cell has moved by this share
  /// of the range since, up or down. 0 to 0.5.
  double update_share = 0.05;
};

/// @throws InvalidArgument naming the field that is out of range
void check_measure_options(const MeasureOptions& options);

/// What one member does at one point.
struct Measurement {
  ModelKind model = ModelKind::ideal;
  double relative_error = 0;  ///< CurrentError::relative, root mean square over the arrays
  double mean_error = 0;      ///< of the input vectors' largest deviations (CurrentError::mean)
  double p99_error = 0;       ///< their 99th percentile
  double worst_error = 0;     ///< and their largest
  /// Factor by which the member's currents are to be multiplied to fit the exact ones best (least
  /// squares over all bitlines, inputs and arrays: of all factors the least relative error).
  double gain = 1;
  double relative_error_after_gain = 0;
  /// The same with one factor a bitline: the first's, the last's, and what is left.
  double first_column_gain = 1;
  double last_column_gain = 1;
  double relative_error_after_column_gain = 0;
  double refresh_seconds = 0;    ///< of one array, single precision, one core; median
  double effective_seconds = 0;  ///< likewise
};

/// Measures members at a point against the exact solver; with sinh_alpha > 0 against Newton's
/// method, input by input. Field solutions are taken at equal inputs. All but the seconds depends
/// on the arguments only; arrays in parallel, seconds alone on one core.
/// @throws InvalidArgument for a point or options out of range; NumericalError as the solver
[[nodiscard]] std::vector<Measurement> measure(const CalibrationPoint& point,
                                               std::span<const ModelKind> models,
                                               const MeasureOptions& options = {});

/// The same for given arrays of equal shape, siemens, instead of random ones.
[[nodiscard]] std::vector<Measurement> measure(const CalibrationPoint& point,
                                               std::span<const Matrix> arrays,
                                               std::span<const ModelKind> models,
                                               const MeasureOptions& options = {});

}  // namespace xbar::surrogate
