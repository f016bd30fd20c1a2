#include "curve_fit.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <ceres/ceres.h>

#include <xbar/core/error.hpp>

#include "least_squares.hpp"
#include "response_cost.hpp"

namespace xbar::fit {
namespace {

/// The problem in Ceres' words; refers to what it is made of.
class Problem {
 public:
  Problem(const Shape& shape, const std::vector<Response>& responses,
          const CurveFitOptions& options, CurveFit& fit)
      : neighbours_(std::make_shared<Neighbours>(shape, options)), fit_(fit) {
    for (std::size_t c = 0; c < responses.size(); ++c) {
      auto cost = std::make_unique<ResponseCost>(neighbours_, responses[c]);
      if (cost->num_residuals() == 0) continue;
      problem_.AddResidualBlock(cost.release(), nullptr, fit.values.data(), &fit.starts[c]);
      seen_.push_back(c);
    }
    const Box& box = neighbours_->box();
    for (std::size_t k = 0; k < box.lowest.size(); ++k) {
      problem_.SetParameterLowerBound(fit.values.data(), static_cast<int>(k), box.lowest[k]);
      problem_.SetParameterUpperBound(fit.values.data(), static_cast<int>(k), box.highest[k]);
    }
  }

  void solve(int most_iterations) {
    ceres::Solver::Options options;
    options.max_num_iterations = most_iterations;
    options.linear_solver_type = ceres::DENSE_SCHUR;
    options.function_tolerance = 1e-8;
    options.parameter_tolerance = 1e-8;
    const ceres::Solver::Summary summary = fit::solve(options, problem_);
    fit_.cost = 2 * summary.final_cost;
    fit_.converged = summary.termination_type == ceres::CONVERGENCE;
    if (!summary.IsSolutionUsable()) fit_.cost = INFINITY;
  }

  /// Rows of the Jacobian and residuals, those of one response after those of the other; the
  /// columns are the values and then the starts.
  void evaluate(Matrix& jacobian, Vector& residuals, std::vector<int>& counts) const {
    const auto values = static_cast<Index>(fit_.values.size());
    Index rows = 0;
    std::vector<ceres::ResidualBlockId> blocks;
    problem_.GetResidualBlocks(&blocks);
    for (const auto& block : blocks) {
      counts.push_back(problem_.GetCostFunctionForResidualBlock(block)->num_residuals());
      rows += counts.back();
    }
    jacobian = Matrix::Zero(rows, values + static_cast<Index>(blocks.size()));
    residuals.resize(rows);
    Index row = 0;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      Matrix part(counts[b], values);
      Vector start(counts[b]);
      double* parts[] = {part.data(), start.data()};
      const double* at[] = {fit_.values.data(), &fit_.starts[seen_[b]]};
      if (!problem_.GetCostFunctionForResidualBlock(blocks[b])->Evaluate(at, residuals.data() + row,
                                                                         parts)) {
        throw NumericalError("fit: the Jacobian cannot be evaluated");
      }
      jacobian.block(row, 0, counts[b], values) = part;
      jacobian.block(row, values + static_cast<Index>(b), counts[b], 1) = start;
      row += counts[b];
    }
  }

 private:
  std::shared_ptr<Neighbours> neighbours_;
  CurveFit& fit_;
  std::vector<std::size_t> seen_;
  ceres::Problem problem_;
};

double first_reading(const Response& response) {
  for (std::size_t k = 0; k < response.y.size(); ++k) {
    if (!std::isnan(response.y[k]) && !response.masked[k]) return response.y[k];
  }
  return 0.5;
}

}  // namespace

CurveFit fit_curves(const Shape& shape, const std::vector<Response>& responses,
                    const CurveFitOptions& options, const CurveFit* from) {
  const Box limits = value_box(shape, options);
  const auto begin = [&](std::vector<double> values) {
    CurveFit fit;
    fit.values = std::move(values);
    for (std::size_t k = 0; k < fit.values.size(); ++k) {
      fit.values[k] = std::clamp(fit.values[k], limits.lowest[k], limits.highest[k]);
    }
    for (const Response& response : responses) fit.starts.push_back(first_reading(response));
    return fit;
  };
  std::vector<CurveFit> tries;
  if (from != nullptr) {
    tries.push_back(begin(from->values));
  } else {
    const bool range = shape.fits_range && !options.fix_range;
    // At a bound a cell stands still: a fit that begins with readings outside does not find out.
    const std::vector<double> ways_beyond = {0.05, 0.25};
    const auto gains = options.to_steps ? std::vector<double>{0.1, 0.7} : std::vector<double>{0};
    for (const double gain : gains) {
      for (const std::vector<double>& values : shape.starts) {
        for (const double beyond : range ? ways_beyond : std::vector<double>{0}) {
          std::vector<double> all = values;
          if (range) {
            all.insert(all.end(), {options.cell.lower - beyond, options.cell.upper + beyond});
          }
          if (options.to_steps) all.push_back(gain);
          tries.push_back(begin(std::move(all)));
        }
      }
    }
  }
  // A few steps show which start is good.
  constexpr int few_iterations = 8;
  if (tries.size() > 1) {
    for (CurveFit& fit : tries) Problem(shape, responses, options, fit).solve(few_iterations);
  }
  CurveFit best =
      *std::min_element(tries.begin(), tries.end(),
                        [](const CurveFit& a, const CurveFit& b) { return a.cost < b.cost; });
  Problem(shape, responses, options, best).solve(options.most_iterations);
  if (!std::isfinite(best.cost)) {
    throw NumericalError("fit: " + shape.name + ": no step of the least squares succeeds");
  }
  const Point point(shape, options, best.values);
  best.cell = point.cell;
  best.gain = point.gain;
  return best;
}

double best_gain(const Shape& shape, const std::vector<Response>& responses, const CurveFit& fit) {
  const auto model = shape.make(std::span(fit.values).first(shape.free.size()));
  const auto cost = [&](double gain) {
    double square = 0;
    for (std::size_t c = 0; c < responses.size(); ++c) {
      for (const Innovation& now :
           innovations(*model, fit.cell, gain, fit.starts[c], responses[c])) {
        if (!std::isnan(now.residual)) square += now.residual * now.residual;
      }
    }
    return square;
  };
  // Golden section; at its ends the cost may be lower still.
  constexpr double golden = 0.6180339887498949;
  double low = 0;
  double high = 1;
  while (high - low > 1e-4) {
    const double left = high - golden * (high - low);
    const double right = low + golden * (high - low);
    if (cost(left) < cost(right)) {
      high = right;
    } else {
      low = left;
    }
  }
  const double middle = (low + high) / 2;
  if (cost(0) <= cost(middle)) return 0;
  return cost(1) <= cost(middle) ? 1 : middle;
}

namespace {

/// M of a walk under readings, as covariance() says. @param free  the Jacobian's columns
Matrix walk_meat(const Shape& shape, const std::vector<Response>& responses, const CurveFit& fit,
                 const Matrix& jacobian, const device::PulseNoise& noise) {
  const auto model = shape.make(std::span(fit.values).first(shape.free.size()));
  const double width = fit.cell.upper - fit.cell.lower;
  Matrix meat = std::pow(noise.write * width, 2) * (jacobian.transpose() * jacobian);
  Index row = jacobian.rows();
  // Backwards: what a disturbance does later is known when its pulse is reached.
  for (std::size_t c = responses.size(); c-- > 0;) {
    const Response& response = responses[c];
    const auto curve = innovations(*model, fit.cell, 0, fit.starts[c], response);
    constexpr double step = 1e-6;
    Vector adjoint = Vector::Zero(jacobian.cols());
    for (std::size_t k = response.y.size(); k-- > 1;) {
      if (!std::isnan(response.y[k])) adjoint += jacobian.row(--row).transpose();
      const double walk = width * std::hypot(noise.range, noise.step * curve[k].step);
      meat += walk * walk * adjoint * adjoint.transpose();
      // One pulse of the curve and of one beside it.
      const Response one{{true, response.up[k]}, {0, 0}, {false, false}};
      const double y = curve[k - 1].predicted;
      const double moved = innovations(*model, fit.cell, 0, y + step, one)[1].predicted;
      adjoint *= (moved - curve[k].predicted) / step;
    }
    if (!response.y.empty() && !std::isnan(response.y[0])) --row;
  }
  return meat;
}

}  // namespace

Covariance covariance(const Shape& shape, const std::vector<Response>& responses,
                      const CurveFitOptions& options, const CurveFit& fit,
                      const device::PulseNoise& noise) {
  const Box limits = value_box(shape, options);
  CurveFit at = fit;
  Matrix jacobian;
  Vector residuals;
  std::vector<int> counts;
  Problem(shape, responses, options, at).evaluate(jacobian, residuals, counts);
  const auto values = static_cast<Index>(fit.values.size());
  // Only what can move has a say: values at a bound are not estimates.
  std::vector<Index> free;
  for (Index k = 0; k < jacobian.cols(); ++k) {
    const auto v = static_cast<std::size_t>(k);
    const double margin = k < values ? 1e-6 * (limits.highest[v] - limits.lowest[v]) : 0;
    const bool inside = k >= values || (fit.values[v] > limits.lowest[v] + margin &&
                                        fit.values[v] < limits.highest[v] - margin);
    if (inside && jacobian.col(k).norm() > 0) free.push_back(k);
  }
  Matrix part(jacobian.rows(), static_cast<Index>(free.size()));
  for (Index k = 0; k < part.cols(); ++k) {
    part.col(k) = jacobian.col(free[static_cast<std::size_t>(k)]);
  }
  const bool grouped = counts.size() >= enough_groups;
  const Matrix meat = grouped            ? grouped_meat(part, residuals, counts)
                      : options.to_steps ? independent_meat(part, residuals)
                                         : walk_meat(shape, responses, fit, part, noise);
  const double freedom = grouped ? static_cast<double>(counts.size()) - 1
                                 : static_cast<double>(part.rows() - part.cols());
  const Covariance some = sandwich(part, meat, freedom);
  Covariance result{Matrix::Constant(values, values, std::nan("")), some.freedom};
  for (Index i = 0; i < part.cols(); ++i) {
    for (Index j = 0; j < part.cols(); ++j) {
      const Index a = free[static_cast<std::size_t>(i)];
      const Index b = free[static_cast<std::size_t>(j)];
      if (a < values && b < values) result.values(a, b) = some.values(i, j);
    }
  }
  return result;
}

}  // namespace xbar::fit
