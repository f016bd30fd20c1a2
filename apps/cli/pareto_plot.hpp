#pragma once

/// Error against cost of the surrogates.

#include <string>
#include <vector>

#include <xbar/surrogate_calibrate/calibration_table.hpp>

namespace xbar::cli {

/// What one member does over all points of a table.
struct MemberSummary {
  surrogate::ModelKind model = surrogate::ModelKind::ideal;
  double median_error = 0;  ///< of relative_error over the points
  double worst_error = 0;   ///< its largest
  /// Seconds of an array, median over the points: a refresh and an effective conductance; of the
  /// ratio members, whose errors are those after an update, the share of a refresh every
  /// `updates_per_refresh`.
  double median_seconds = 0;
  bool on_front = false;  ///< no other member has a smaller median error at no more seconds
};

/// Updates between two refreshes in MemberSummary::median_seconds.
inline constexpr int updates_per_refresh = 100;

/// One a member, in the order of ModelKind.
[[nodiscard]] std::vector<MemberSummary> summarize(
    const std::vector<surrogate::CalibrationRow>& rows);

/// The members by error and seconds, their Pareto front as a line: SVG. Blue: ours; green: resting
/// on an exact refresh; orange: of other groups. One without error is a line at its seconds.
[[nodiscard]] std::string pareto_svg(const std::vector<MemberSummary>& members,
                                     const std::string& title);

}  // namespace xbar::cli
