#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include <xbar/validation/verdict.hpp>

namespace xbar::validation {
namespace {

using surrogate::CalibrationPoint;
using surrogate::ModelKind;

/// The point with the weights left out.
CalibrationPoint technology_of(const StudyRow& row) {
  CalibrationPoint technology = row.point.technology;
  technology.distribution = {};
  return technology;
}

/// A NaN is as bad as it gets.
double error_of(const StudyRow& row) {
  const double error = row.measurement.relative_error;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// What a member costs at an array size. A single time depends on what else the machine did.
class Costs {
 public:
  explicit Costs(std::span<const StudyRow> rows) {
    std::map<Key, std::vector<double>> times;
    for (const StudyRow& row : rows) {
      times[key(row.point.technology, row.measurement.model)].push_back(row.seconds());
    }
    for (auto& [key, values] : times) median_[key] = median(std::move(values));
  }
  [[nodiscard]] double operator()(const CalibrationPoint& point, ModelKind model) const {
    return median_.at(key(point, model));
  }

 private:
  using Key = std::pair<Index, ModelKind>;
  static Key key(const CalibrationPoint& point, ModelKind model) {
    return {point.rows * point.columns, model};
  }
  std::map<Key, double> median_;
};

struct Technology {
  CalibrationPoint point;
  std::map<ModelKind, double> error;  // largest over the weights
};

std::vector<Technology> technologies(std::span<const StudyRow> rows,
                                     std::span<const ModelKind> members) {
  std::vector<Technology> found;
  for (const StudyRow& row : rows) {
    const ModelKind model = row.measurement.model;
    if (std::find(members.begin(), members.end(), model) == members.end()) continue;
    const CalibrationPoint point = technology_of(row);
    auto at = std::find_if(found.begin(), found.end(),
                           [&](const Technology& t) { return t.point == point; });
    if (at == found.end()) at = found.insert(found.end(), {point, {}});
    double& error = at->error[model];
    error = std::max(error, error_of(row));
  }
  return found;
}

}  // namespace

std::vector<Verdict> verdicts(std::span<const StudyRow> rows, double tolerance,
                              std::span<const ModelKind> members) {
  const Costs cost(rows);
  std::vector<Verdict> result;
  for (const Technology& technology : technologies(rows, members)) {
    Verdict verdict{technology.point, tolerance, {}, std::numeric_limits<double>::infinity(), 0};
    for (const auto& [model, error] : technology.error) {
      const double seconds = cost(technology.point, model);
      if (error <= tolerance) {
        if (verdict.model && verdict.seconds <= seconds) continue;
        verdict.model = model;
        verdict.error = error;
        verdict.seconds = seconds;
      } else if (!verdict.model) {
        verdict.error = std::min(verdict.error, error);
      }
    }
    result.push_back(verdict);
  }
  return result;
}

std::vector<StudyRow> beyond(std::span<const StudyRow> rows, ModelKind model, double limit) {
  std::vector<StudyRow> missed;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(missed), [&](const StudyRow& row) {
    return row.measurement.model == model && !(error_of(row) <= limit);
  });
  std::stable_sort(missed.begin(), missed.end(),
                   [](const StudyRow& a, const StudyRow& b) { return error_of(a) > error_of(b); });
  return missed;
}

}  // namespace xbar::validation
