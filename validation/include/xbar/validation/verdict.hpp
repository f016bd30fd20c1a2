#pragma once

/// What a study means for a tolerance.

#include <optional>
#include <span>
#include <vector>

#include <xbar/validation/study.hpp>

namespace xbar::validation {

/// The member to take for a technology and array size, whatever the weights of the study.
struct Verdict {
  surrogate::CalibrationPoint technology;  ///< its distribution says nothing
  double tolerance = 0;                    ///< of Measurement::relative_error
  /// Cheapest of the members that keep the tolerance with all weights; empty: none does, only the
  /// exact solver.
  std::optional<surrogate::ModelKind> model;
  double error = 0;    ///< largest over the weights: of `model`, or the smallest of all members
  double seconds = 0;  ///< of `model`: StudyRow::seconds(), median over the study's technologies
};

/// One verdict for each technology and size, in the order of the rows.
/// @param members  those to choose from
[[nodiscard]] std::vector<Verdict> verdicts(std::span<const StudyRow> rows, double tolerance,
                                            std::span<const surrogate::ModelKind> members);

/// The rows of `model` whose relative error is not within the limit (NaN is not), worst first.
[[nodiscard]] std::vector<StudyRow> beyond(std::span<const StudyRow> rows,
                                           surrogate::ModelKind model, double limit);

}  // namespace xbar::validation
