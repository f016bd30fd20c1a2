#pragma once

/// Errors after the cells have moved on without a new measurement, and the limits that the family
/// is held to.

#include <span>
#include <string_view>
#include <vector>

#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::validation {

/// What happened between refresh() and effective(). Cells stay within their range.
enum class Update {
  none,    ///< nothing
  random,  ///< every cell went up or down, at random
  up,      ///< every cell went up
  down,    ///< every cell went down
};

[[nodiscard]] std::string_view update_name(Update update);

struct UpdateRow {
  surrogate::CalibrationPoint point;
  surrogate::ModelKind model = surrogate::ModelKind::ideal;
  Update update = Update::none;
  /// Of the arrays: relative is their root mean square, mean their mean, worst their largest.
  surrogate::CurrentError error;
};

/// Errors of members at random arrays of a point that were measured before the update.
/// @param options  arrays, inputs, seed; update_share is how far each cell went, share of the range
/// @return one row for each update and model, updates outermost
/// @throws as surrogate::measure(); InvalidArgument for non-linear cells
[[nodiscard]] std::vector<UpdateRow> update_study(const surrogate::CalibrationPoint& point,
                                                  std::span<const surrogate::ModelKind> models,
                                                  const surrogate::MeasureOptions& options = {});

/// Relative error that the best member stays within, at 64 x 64 with on/off ratio 10, 1 ohm
/// segments and 100 ohm terminals, updates of 5 % of the range.
struct StatedLimit {
  double on_ohm = 20e3;
  surrogate::WeightDistribution distribution = surrogate::WeightDistribution::uniform;
  Update update = Update::none;
  double relative_error = 0;
};

[[nodiscard]] std::span<const StatedLimit> stated_limits();

}  // namespace xbar::validation
