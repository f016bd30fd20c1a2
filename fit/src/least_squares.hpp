#pragma once

/// The one place that calls Ceres.

#include <ceres/ceres.h>

namespace xbar::fit {

/// Solves a problem without a word, and asks before each step whether the work is to end
/// (poll_interruption).
ceres::Solver::Summary solve(ceres::Solver::Options options, ceres::Problem& problem);

}  // namespace xbar::fit
