#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/surrogate_calibrate/policy.hpp>

namespace xbar::surrogate {
namespace {

using Rows = std::vector<const CalibrationRow*>;

void check_tolerance(double tolerance) {
  if (!(tolerance > 0) || std::isinf(tolerance)) {
    throw InvalidArgument(
        fmt::format("tolerance: expected more than 0, finite, got {}", tolerance));
  }
}

/// A coordinate of the space of technologies.
struct Axis {
  const char* key;
  double (*value)(const CalibrationPoint&);
};

/// Along these, errors may rise or fall: both neighbouring values count.
constexpr std::array<Axis, 3> two_sided{{
    {"on-off-ratio", [](const CalibrationPoint& p) { return p.on_off_ratio; }},
    {"density", [](const CalibrationPoint& p) { return p.density; }},
    {"sinh-alpha * input-volt",
     [](const CalibrationPoint& p) { return p.sinh_alpha * p.input_volt; }},
}};

/// Along these, more is harder.
constexpr std::array<Axis, 6> rising{{
    {"rows", [](const CalibrationPoint& p) { return static_cast<double>(p.rows); }},
    {"columns", [](const CalibrationPoint& p) { return static_cast<double>(p.columns); }},
    {"source-ohm / on-ohm",
     [](const CalibrationPoint& p) { return p.wires.source_ohm / p.on_ohm; }},
    {"sink-ohm / on-ohm", [](const CalibrationPoint& p) { return p.wires.sink_ohm / p.on_ohm; }},
    {"wordline-ohm / on-ohm",
     [](const CalibrationPoint& p) { return p.wires.wordline_ohm / p.on_ohm; }},
    {"bitline-ohm / on-ohm",
     [](const CalibrationPoint& p) { return p.wires.bitline_ohm / p.on_ohm; }},
}};

/// Quotients of resistances are equal if they are but for rounding.
bool at_least(double a, double b) { return a >= b * (1 - 1e-9); }

double distance(const CalibrationPoint& a, const CalibrationPoint& b) {
  constexpr double nothing = 1e-7;  // a resistance that small beside on_ohm might as well be 0
  double sum = 0;
  for (const Axis& axis : rising) {
    const double step = std::log(axis.value(a) + nothing) - std::log(axis.value(b) + nothing);
    sum += step * step;
  }
  return sum;
}

/// Whether no coordinate of `a` is smaller than that of `b`.
bool not_easier(const CalibrationPoint& a, const CalibrationPoint& b) {
  return std::all_of(rising.begin(), rising.end(),
                     [&](const Axis& axis) { return at_least(axis.value(a), axis.value(b)); });
}

[[noreturn]] void fail_to_reach(const Axis& axis, double asked, const Rows& rows,
                                const char* among = "") {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const CalibrationRow* row : rows) {
    low = std::min(low, axis.value(row->point));
    high = std::max(high, axis.value(row->point));
  }
  throw InvalidArgument(
      fmt::format("calibration table: expected rows that reach {} = {:.6g}{}, got {:.6g} to {:.6g}",
                  axis.key, asked, among, low, high));
}

/// The neighbouring points of a point in a table, those that are not easier first.
class Neighbours {
 public:
  Neighbours(const Rows& rows, const CalibrationPoint& point) : point_(point) { split(rows, 0); }

  [[nodiscard]] const std::vector<CalibrationPoint>& points() const { return points_; }

 private:
  /// Rows at the neighbouring values along two_sided[axis], one value after the other.
  void split(const Rows& rows, std::size_t axis) {
    if (axis == two_sided.size()) {
      add_nearest(rows);
      return;
    }
    const double asked = two_sided[axis].value(point_);
    std::optional<double> below;
    std::optional<double> above;
    for (const CalibrationRow* row : rows) {
      const double value = two_sided[axis].value(row->point);
      if (at_least(asked, value)) below = std::max(below.value_or(value), value);
      if (at_least(value, asked)) above = std::min(above.value_or(value), value);
    }
    if (!below || !above) fail_to_reach(two_sided[axis], asked, rows);
    for (const double level : std::set<double>{*below, *above}) {
      Rows at_level;
      for (const CalibrationRow* row : rows) {
        if (two_sided[axis].value(row->point) == level) at_level.push_back(row);
      }
      split(at_level, axis + 1);
    }
  }

  void add_nearest(const Rows& rows) {
    const CalibrationPoint* harder = nullptr;
    const CalibrationPoint* easier = nullptr;
    for (const CalibrationRow* row : rows) {
      if (not_easier(row->point, point_)) take_nearer(row->point, harder);
      if (not_easier(point_, row->point)) take_nearer(row->point, easier);
    }
    if (harder == nullptr) fail_to_cover(rows);
    points_.insert(points_.begin(), *harder);
    if (easier != nullptr) points_.push_back(*easier);
  }

  void take_nearer(const CalibrationPoint& candidate, const CalibrationPoint*& nearest) const {
    if (nearest == nullptr || distance(candidate, point_) < distance(*nearest, point_)) {
      nearest = &candidate;
    }
  }

  /// Narrows the rows down key by key; the first that leaves none is at fault.
  [[noreturn]] void fail_to_cover(Rows rows) const {
    const char* among = "";
    for (const Axis& axis : rising) {
      const double asked = axis.value(point_);
      Rows reaching;
      for (const CalibrationRow* row : rows) {
        if (at_least(axis.value(row->point), asked)) reaching.push_back(row);
      }
      if (reaching.empty()) fail_to_reach(axis, asked, rows, among);
      if (reaching.size() < rows.size()) among = " with the rest as hard as asked";
      rows = std::move(reaching);
    }
    throw InvalidArgument("calibration table: expected rows at least as hard as asked, got none");
  }

  const CalibrationPoint& point_;
  std::vector<CalibrationPoint> points_;
};

/// A member that might be chosen, with its figures.
struct Candidate {
  ModelKind model = ModelKind::exact;
  double relative_error = 0;
  double seconds = 0;
};

/// @param where  what was measured, for the reason
Choice cheapest(const std::vector<Candidate>& candidates, double tolerance,
                const std::string& where) {
  const Candidate* best = nullptr;
  const Candidate* most_accurate = nullptr;
  for (const Candidate& candidate : candidates) {
    if (most_accurate == nullptr || candidate.relative_error < most_accurate->relative_error) {
      most_accurate = &candidate;
    }
    if (!(candidate.relative_error * choice_margin <= tolerance)) continue;
    if (best == nullptr || candidate.seconds < best->seconds) best = &candidate;
  }
  if (most_accurate == nullptr) {
    throw InvalidArgument(fmt::format(
        "calibration table: expected rows with seconds of ideal, closed-form, ladder, sneak-ladder "
        "or exact at {}, got none",
        where));
  }
  if (best == nullptr) {
    throw InvalidArgument(
        fmt::format("tolerance: expected one that a member meets, got {:g}; the most accurate, {}, "
                    "has an error "
                    "of {:.3g} at {} (times {} for arrays that are worse)",
                    tolerance, model_name(most_accurate->model), most_accurate->relative_error,
                    where, choice_margin));
  }
  return {best->model, best->relative_error, best->seconds,
          fmt::format("{}: the cheapest with an error of at most {:g}: {:.3g} at {}, {:.3g} us an "
                      "array",
                      model_name(best->model), tolerance, best->relative_error, where,
                      1e6 * best->seconds)};
}

std::string describe(const CalibrationPoint& p) {
  return fmt::format("{} x {}, R_on {:g} ohm, lines {:g} and {:g}, source {:g}, sink {:g} ohm, {}",
                     p.rows, p.columns, p.on_ohm, p.wires.wordline_ohm, p.wires.bitline_ohm,
                     p.wires.source_ohm, p.wires.sink_ohm, distribution_name(p.distribution));
}

/// Rows of the asked distribution that a choice can rest on.
Rows usable_rows(const CalibrationTable& table, WeightDistribution distribution) {
  Rows rows;
  std::set<std::string_view> names;
  for (const CalibrationRow& row : table.rows) {
    if (row.measured || !may_be_chosen(row.measurement.model)) continue;
    names.insert(distribution_name(row.point.distribution));
    if (row.point.distribution == distribution) rows.push_back(&row);
  }
  if (names.empty()) {
    throw InvalidArgument(
        "calibration table: expected rows of ideal, closed-form, ladder, sneak-ladder or exact, "
        "got none");
  }
  if (rows.empty()) {
    throw InvalidArgument(fmt::format("calibration table: expected rows of distribution {}, got {}",
                                      distribution_name(distribution), fmt::join(names, ", ")));
  }
  return rows;
}

}  // namespace

bool may_be_chosen(ModelKind kind) {
  const ModelInfo& info = model_info(kind);
  return !info.measures && !info.of_other_groups;
}

Choice choose_from_table(const CalibrationTable& table, const CalibrationPoint& point,
                         double tolerance) {
  check_calibration_point(point);
  check_tolerance(tolerance);
  const Rows rows = usable_rows(table, point.distribution);
  const std::vector<CalibrationPoint> neighbours = Neighbours(rows, point).points();
  std::vector<Candidate> candidates;
  for (const ModelInfo& info : model_infos()) {
    Candidate candidate{info.kind, 0, 0};
    std::size_t found = 0;
    for (const CalibrationPoint& neighbour : neighbours) {
      for (const CalibrationRow* row : rows) {
        if (row->measurement.model != info.kind || !(row->point == neighbour)) continue;
        const Measurement& figures = row->measurement;
        candidate.relative_error = std::max(candidate.relative_error, figures.relative_error);
        // NaN, unknown, stays NaN.
        candidate.seconds = figures.effective_seconds <= candidate.seconds
                                ? candidate.seconds
                                : figures.effective_seconds;
        ++found;
        break;
      }
    }
    if (found == neighbours.size() && candidate.seconds >= 0) candidates.push_back(candidate);
  }
  return cheapest(candidates, tolerance, describe(neighbours.front()));
}

}  // namespace xbar::surrogate
