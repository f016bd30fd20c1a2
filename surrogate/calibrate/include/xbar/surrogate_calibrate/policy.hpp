#pragma once

/// Which member to use for a tolerance, from a table. Without one mapping::CrossbarMatrix measures
/// its own arrays on the spot.

#include <string>

#include <xbar/surrogate/model_kind.hpp>
#include <xbar/surrogate_calibrate/calibration_table.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::surrogate {

/// A member, and why.
struct Choice {
  ModelKind model = ModelKind::exact;
  double relative_error = 0;  ///< CurrentError::relative, as measured
  double seconds = 0;         ///< one effective conductance of one array, one core
  std::string reason;         ///< one line for people
};

/// Arrays differ: a member is chosen where its measured error times this meets the tolerance. One
/// fresh array in a hundred, of 8 x 8 cells, was 1.5 to 1.7 times as bad as the mean of three.
inline constexpr double choice_margin = 2;

/// Whether the choice may fall on the member: ours, without a state of its own (ideal, closed-form,
/// ladder, sneak-ladder, exact).
[[nodiscard]] bool may_be_chosen(ModelKind kind);

/// The cheapest member whose error at the table's neighbours of the point meets the tolerance.
/// Errors depend on resistances as shares of on_ohm, so these are compared. Neighbours: the table's
/// values next to the point's on either side for on_off_ratio, density and sinh_alpha * input_volt;
/// for each of these, of the rows in which neither an array's side nor a resistance's share is
/// smaller than asked, and of those in which none is larger, the nearest by the logarithms. The
/// error is the largest among all neighbours. Rows of another distribution, and measured ones, are
/// left out.
/// @param tolerance  of CurrentError::relative, > 0
/// @throws InvalidArgument if the table does not reach the point, naming the key, its value and the
///         table's range; if no member of the table meets the tolerance
[[nodiscard]] Choice choose_from_table(const CalibrationTable& table, const CalibrationPoint& point,
                                       double tolerance);

}  // namespace xbar::surrogate
