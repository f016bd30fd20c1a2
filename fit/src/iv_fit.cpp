#include <algorithm>
#include <cmath>

#include <ceres/ceres.h>
#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/fit/iv_fit.hpp>

#include "held_out.hpp"
#include "least_squares.hpp"
#include "sandwich.hpp"

namespace xbar::fit {
namespace {

/// A shared parameter as the fit sees it, in units that make it of the order of 1.
struct Shared {
  std::string name;
  std::string unit;
  double scale = 1;
  double highest = 1;
};

/// A cell model and the branches. The values are the shared parameters over their scales, and the
/// logarithms of the branches' conductances over those at their largest voltage.
class IvProblem {
 public:
  IvProblem(std::string model, std::vector<Shared> shared, const IvData& data,
            const std::vector<IvBranch>& branches)
      : model_(std::move(model)), shared_(std::move(shared)), data_(data), branches_(branches) {
    for (const IvBranch& branch : branches_) {
      const auto at = branch.begin;  // |volt| falls from here on
      current_.push_back(std::abs(data_.ampere[at]));
      conductance_.push_back(data_.ampere[at] / data_.volt[at]);
    }
  }

  [[nodiscard]] std::size_t size() const { return shared_.size() + branches_.size(); }
  [[nodiscard]] const std::vector<Shared>& shared() const { return shared_; }
  [[nodiscard]] double conductance(const double* values, std::size_t b) const {
    return conductance_[b] * std::exp(values[shared_.size() + b]);
  }
  [[nodiscard]] double largest_current(std::size_t b) const { return current_[b]; }

  /// Currents of all points of branch `b`.
  [[nodiscard]] Vector currents(const double* values, std::size_t b) const {
    device::CellSettings settings;
    for (std::size_t k = 0; k < shared_.size(); ++k) {
      settings.parameters[shared_[k].name] =
          shared_[k].scale * std::clamp(values[k], 0.0, shared_[k].highest);
    }
    const auto cell = device::make_cell_model(model_, settings);
    const IvBranch& branch = branches_[b];
    const auto points = static_cast<Index>(branch.end - branch.begin);
    const Matrix conductance = Matrix::Constant(points, 1, this->conductance(values, b));
    const Matrix volt = Eigen::Map<const Vector>(data_.volt.data() + branch.begin, points);
    Matrix current;
    Matrix derivative;
    cell->evaluate(conductance, volt, current, derivative);
    return current.col(0);
  }

  /// Residuals of branch `b` over its largest current.
  [[nodiscard]] Vector residuals(const double* values, std::size_t b) const {
    const Vector model = currents(values, b);
    const Eigen::Map<const Vector> measured(data_.ampere.data() + branches_[b].begin, model.size());
    return (measured - model) / current_[b];
  }

 private:
  std::string model_;
  std::vector<Shared> shared_;
  const IvData& data_;
  const std::vector<IvBranch>& branches_;
  std::vector<double> current_;
  std::vector<double> conductance_;
};

/// All points but those of one block of each branch.
struct IvCost {
  const IvProblem& problem;
  const std::vector<IvBranch>& branches;
  int fold;  ///< that is held out; -1: none
  int folds;

  [[nodiscard]] bool seen(std::size_t b, std::size_t k) const {
    const std::size_t length = branches[b].end - branches[b].begin;
    const auto f = static_cast<std::size_t>(fold);
    const auto parts = static_cast<std::size_t>(folds);
    return fold < 0 || k < f * length / parts || k >= (f + 1) * length / parts;
  }
  [[nodiscard]] std::vector<int> counts() const {
    std::vector<int> result;
    for (std::size_t b = 0; b < branches.size(); ++b) {
      result.push_back(0);
      for (std::size_t k = 0; k < branches[b].end - branches[b].begin; ++k) {
        result.back() += seen(b, k) ? 1 : 0;
      }
    }
    return result;
  }
  bool operator()(double const* const* blocks, double* residuals) const {
    for (std::size_t b = 0; b < branches.size(); ++b) {
      const Vector all = problem.residuals(blocks[0], b);
      for (Index k = 0; k < all.size(); ++k) {
        if (seen(b, static_cast<std::size_t>(k))) *residuals++ = all(k);
      }
    }
    return true;
  }
};

/// Least squares from `values` on. @param jacobian, residuals  those at the end
void solve(const IvCost& cost, std::vector<double>& values, Matrix& jacobian, Vector& residuals) {
  const std::vector<int> counts = cost.counts();
  int rows = 0;
  for (const int count : counts) rows += count;
  auto* function =
      new ceres::DynamicNumericDiffCostFunction<IvCost, ceres::CENTRAL>(new IvCost(cost));
  function->AddParameterBlock(static_cast<int>(values.size()));
  function->SetNumResiduals(rows);
  ceres::Problem problem;
  problem.AddResidualBlock(function, nullptr, values.data());
  for (std::size_t k = 0; k < cost.problem.shared().size(); ++k) {
    problem.SetParameterLowerBound(values.data(), static_cast<int>(k), 0);
    problem.SetParameterUpperBound(values.data(), static_cast<int>(k),
                                   cost.problem.shared()[k].highest);
  }
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_QR;
  options.max_num_iterations = 200;
  options.function_tolerance = 1e-12;
  const ceres::Solver::Summary summary = fit::solve(options, problem);
  if (!summary.IsSolutionUsable())
    throw NumericalError("fit: no step of the least squares succeeds");
  jacobian.resize(rows, static_cast<Index>(values.size()));
  residuals.resize(rows);
  const double* at = values.data();
  double* part = jacobian.data();
  function->Evaluate(&at, residuals.data(), &part);
}

std::vector<IvBranch> find_branches(const IvData& data, int folds) {
  // Fewer points do not show a shape.
  const auto fewest = static_cast<std::size_t>(2 * folds);
  std::vector<IvBranch> branches;
  const auto falls = [&](std::size_t k) {
    return std::abs(data.volt[k]) < std::abs(data.volt[k - 1]) &&
           data.volt[k] * data.volt[k - 1] > 0;
  };
  for (std::size_t begin = 0; begin < data.volt.size();) {
    std::size_t end = begin + 1;
    while (end < data.volt.size() && falls(end)) ++end;
    if (end - begin >= fewest && data.ampere[begin] / data.volt[begin] > 0) {
      branches.push_back({begin, end, {}});
    }
    begin = end;
  }
  if (branches.empty()) {
    throw IoError(fmt::format(
        "{}: expected {} or more points in a row with a voltage that falls in size, found none: "
        "on the way up a cell may switch",
        data.name, fewest));
  }
  return branches;
}

HeldOut validate(const IvProblem& problem, const std::vector<IvBranch>& branches, int folds,
                 const std::vector<double>& from) {
  HeldOut held_out;
  for (int f = 0; f < folds; ++f) {
    const IvCost cost{problem, branches, f, folds};
    std::vector<double> values = from;
    Matrix jacobian;
    Vector residuals;
    solve(cost, values, jacobian, residuals);
    for (std::size_t b = 0; b < branches.size(); ++b) {
      const Vector all = problem.residuals(values.data(), b);
      held_out.square.push_back(0);
      held_out.count.push_back(0);
      for (Index k = 0; k < all.size(); ++k) {
        if (cost.seen(b, static_cast<std::size_t>(k))) continue;
        held_out.square.back() += all(k) * all(k);
        ++held_out.count.back();
      }
    }
  }
  return held_out;
}

IvModelFit fit_model(const std::string& name, const IvProblem& problem, const IvData& data,
                     const std::vector<IvBranch>& branches, int folds, HeldOut& held_out) {
  const std::size_t shared = problem.shared().size();
  std::vector<double> values(problem.size(), 0.0);
  std::fill_n(values.begin(), shared, 0.5);
  const IvCost cost{problem, branches, -1, folds};
  Matrix jacobian;
  Vector residuals;
  solve(cost, values, jacobian, residuals);
  const Covariance errors = sandwich(jacobian, independent_meat(jacobian, residuals),
                                     static_cast<double>(jacobian.rows() - jacobian.cols()));
  IvModelFit fit;
  fit.name = name;
  fit.branches = branches;
  fit.rms = std::sqrt(residuals.squaredNorm() / static_cast<double>(residuals.size()));
  for (std::size_t k = 0; k < shared; ++k) {
    const Shared& p = problem.shared()[k];
    constexpr double margin = 1e-6;
    const bool inside = values[k] > margin && values[k] < p.highest - margin;
    const auto at = static_cast<Index>(k);
    fit.parameters.push_back(make_estimate(
        p.name, p.unit, p.scale * values[k],
        inside ? p.scale * p.scale * errors.values(at, at) : std::nan(""), errors.freedom));
  }
  fit.ampere.assign(data.volt.size(), std::nan(""));
  for (std::size_t b = 0; b < branches.size(); ++b) {
    const double g = problem.conductance(values.data(), b);
    const auto at = static_cast<Index>(shared + b);
    fit.branches[b].conductance =
        make_estimate("conductance_siemens", "S", g, g * g * errors.values(at, at), errors.freedom);
    const Vector currents = problem.currents(values.data(), b);
    std::copy(currents.begin(), currents.end(),
              fit.ampere.begin() + static_cast<std::ptrdiff_t>(branches[b].begin));
  }
  held_out = validate(problem, branches, folds, values);
  fit.validated_rms = std::sqrt(held_out.mean_square());
  return fit;
}

}  // namespace

IvFit fit_iv(const IvData& data, int folds) {
  constexpr int most_folds = 20;
  if (folds < 2 || folds > most_folds) {
    throw InvalidArgument(fmt::format("folds: expected 2 to {}, found {}", most_folds, folds));
  }
  const std::vector<IvBranch> branches = find_branches(data, folds);
  double largest_volt = 0;
  double largest_conductance = 0;
  for (const IvBranch& branch : branches) {
    largest_volt = std::max(largest_volt, std::abs(data.volt[branch.begin]));
    largest_conductance =
        std::max(largest_conductance, data.ampere[branch.begin] / data.volt[branch.begin]);
  }
  constexpr double steepest = 30;  // a v: beyond it a sinh is a wall
  const Shared alpha{"sinh_alpha", "1/V", 1 / largest_volt, steepest};
  const Shared access{"access_ohm", "ohm", 1 / largest_conductance, 0.999};
  const std::vector<std::pair<std::string, std::vector<Shared>>> kinds = {
      {"linear", {}}, {"sinh", {alpha}}, {"series-resistance", {access, alpha}}};
  IvFit result;
  std::vector<HeldOut> held_out;
  for (const auto& [name, shared] : kinds) {
    const IvProblem problem(name, shared, data, branches);
    held_out.emplace_back();
    result.models.push_back(fit_model(name, problem, data, branches, folds, held_out.back()));
  }
  const Choice choice = choose(held_out);
  result.best = choice.best;
  for (std::size_t k = 0; k < result.models.size(); ++k) {
    result.models[k].excess = choice.excess[k].mean;
    result.models[k].excess_error = choice.excess[k].error;
  }
  return result;
}

}  // namespace xbar::fit
