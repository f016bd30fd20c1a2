#include "amplitude_cost.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ceres/ceres.h>

#include <xbar/core/error.hpp>

#include "least_squares.hpp"

namespace xbar::fit {
namespace {

// What is allowed. The bounds may lie up to twice the range of the readings outside it: where
// pulses take a cell nowhere near its bounds, they only say how fast it goes.
constexpr std::array<double, LawValues::size> lowest = {0.05, 0, -2, -12, -2, -12};
constexpr std::array<double, LawValues::size> highest = {100, 0.995, 3, 8, 3, 8};

struct LawCost {
  LawKind kind;
  const std::vector<ScaledPulse>& pulses;

  template <typename T>
  bool operator()(T const* const* blocks, T* residuals) const {
    for (std::size_t k = 0; k < pulses.size(); ++k) {
      residuals[k] = pulses[k].after - predicted(kind, blocks[0], pulses[k]);
    }
    return true;
  }
};

// The values that are not estimated: of the law those that it does not have, and those of a
// direction without pulses.
std::vector<int> constant_values(LawKind kind, const std::vector<ScaledPulse>& pulses) {
  std::vector<int> constant;
  if (kind == LawKind::none) constant.push_back(LawValues::exponent);
  if (kind != LawKind::threshold) constant.push_back(LawValues::threshold);
  const auto is_up = [](const ScaledPulse& pulse) { return pulse.up; };
  if (std::none_of(pulses.begin(), pulses.end(), is_up)) {
    constant.insert(constant.end(), {LawValues::up_bound, LawValues::up_rate});
  }
  if (std::all_of(pulses.begin(), pulses.end(), is_up)) {
    constant.insert(constant.end(), {LawValues::down_bound, LawValues::down_rate});
  }
  return constant;
}

std::vector<LawValues> starts(LawKind kind) {
  const auto start = [](double exponent, double threshold) {
    return LawValues{{exponent, threshold, 1.05, 0, -0.05, 0}};
  };
  switch (kind) {
    case LawKind::none:
      return {start(1, 0)};
    case LawKind::power:
      return {start(2, 0), start(10, 0)};
    case LawKind::threshold:
      return {start(2, 0.05), start(2, 0.3), start(2, 0.55), start(2, 0.75)};
  }
  return {};
}

LawSolution solve_from(LawKind kind, const std::vector<ScaledPulse>& pulses, LawValues values) {
  using Function = ceres::DynamicAutoDiffCostFunction<LawCost, LawValues::size>;
  auto* function = new Function(new LawCost{kind, pulses});
  function->AddParameterBlock(LawValues::size);
  function->SetNumResiduals(static_cast<int>(pulses.size()));
  ceres::Problem problem;
  double* const block = values.value.data();
  problem.AddResidualBlock(function, nullptr, block);
  for (int k = 0; k < LawValues::size; ++k) {
    const auto at = static_cast<std::size_t>(k);
    problem.SetParameterLowerBound(block, k, lowest[at]);
    problem.SetParameterUpperBound(block, k, highest[at]);
  }
  problem.SetManifold(block,
                      new ceres::SubsetManifold(LawValues::size, constant_values(kind, pulses)));
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_NORMAL_CHOLESKY;
  options.max_num_iterations = 100;
  options.function_tolerance = 1e-10;
  const ceres::Solver::Summary summary = fit::solve(options, problem);
  LawSolution result;
  result.values = values;
  result.cost = std::numeric_limits<double>::infinity();
  if (!summary.IsSolutionUsable()) return result;
  result.cost = summary.final_cost;
  result.jacobian.resize(static_cast<Index>(pulses.size()), LawValues::size);
  result.residuals.resize(static_cast<Index>(pulses.size()));
  const double* at = block;
  double* part = result.jacobian.data();
  function->Evaluate(&at, result.residuals.data(), &part);
  for (const int k : constant_values(kind, pulses)) result.jacobian.col(k).setZero();
  return result;
}

}  // namespace

bool is_at_limit(LawValues::At at, double value) {
  const double margin = 1e-6 * (highest[at] - lowest[at]);
  return value <= lowest[at] + margin || value >= highest[at] - margin;
}

LawSolution solve_law(LawKind kind, const std::vector<ScaledPulse>& pulses,
                      const LawValues* start) {
  LawSolution best;
  best.cost = std::numeric_limits<double>::infinity();
  for (const LawValues& values : start != nullptr ? std::vector{*start} : starts(kind)) {
    LawSolution found = solve_from(kind, pulses, values);
    if (found.cost < best.cost) best = std::move(found);
  }
  if (!std::isfinite(best.cost)) {
    throw NumericalError("fit: no step of the least squares succeeds");
  }
  return best;
}

}  // namespace xbar::fit
