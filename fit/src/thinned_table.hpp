#pragma once

/// Tables of step distributions with fewer rows and columns.

#include <xbar/fit/distribution_fit.hpp>

namespace xbar::fit {

/// The change that a pulse at row `row` stays below with probability `level`: linear between the
/// columns, the ends hold what the table does not reach.
[[nodiscard]] double quantile(const StepDistribution& table, Index row, double level);

/// Largest difference between probabilities of `full` and those of `thin`, whose quantiles are
/// linear between rows as in training.
[[nodiscard]] double thinning_error(const StepDistribution& full, const StepDistribution& thin);

/// Every k-th row and as few columns as keep thinning_error() within the tolerance; probabilities
/// are rounded to a tenth of it.
[[nodiscard]] StepDistribution thinned(const StepDistribution& full, double tolerance);

}  // namespace xbar::fit
