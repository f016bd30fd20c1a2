#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/device/conductance_range.hpp>
#include <xbar/validation/surrogate_study.hpp>

namespace xbar::validation {

Matrix random_conductance(const StudyPoint& point, std::uint64_t seed) {
  const device::ConductanceRange range =
      device::conductance_range(point.on_ohm, point.on_off_ratio);
  const RandomStream stream(seed, "study-array");
  Matrix conductance(point.size, point.size);
  for (Index e = 0; e < conductance.size(); ++e) {
    conductance.data()[e] = stream.uniform(static_cast<std::uint64_t>(e), range.g_min, range.g_max);
  }
  return conductance;
}

std::vector<StudyRow> surrogate_study(const std::vector<StudyPoint>& points,
                                      const StudyOptions& options,
                                      const ProgressCallback& progress) {
  if (options.arrays < 1 || options.inputs < 1) {
    throw InvalidArgument(
        fmt::format("study: expected at least one array and one input, got {}, {}", options.arrays,
                    options.inputs));
  }
  std::vector<StudyRow> rows;
  double done = 0;
  const double total = static_cast<double>(points.size()) * static_cast<double>(options.arrays);
  for (const StudyPoint& point : points) {
    const std::size_t first = rows.size();
    for (const surrogate::ModelKind model : options.models)
      rows.push_back({point, model, {}, 0, 0});
    const double share = 1.0 / static_cast<double>(options.arrays);
    for (Index k = 0; k < options.arrays; ++k) {
      const std::uint64_t seed = options.seed + static_cast<std::uint64_t>(k);
      const Matrix conductance = random_conductance(point, seed);
      const Matrix inputs = surrogate::random_sparse_inputs(point.size, options.inputs, seed);
      const Vector operating_point = Vector::Ones(point.size);
      const Stopwatch exact_watch;
      const Matrix exact = surrogate::effective_conductance(surrogate::ModelKind::exact,
                                                            conductance, point.wires, {});
      const double exact_seconds = exact_watch.seconds();
      for (std::size_t r = first; r < rows.size(); ++r) {
        StudyRow& row = rows[r];
        const Stopwatch watch;
        const Matrix model =
            surrogate::effective_conductance(row.model, conductance, point.wires, operating_point);
        row.seconds += share * watch.seconds();
        row.exact_seconds += share * exact_seconds;
        const surrogate::CurrentError error = surrogate::current_error(model, exact, inputs);
        row.error.mean += share * error.mean;
        row.error.worst = std::max(row.error.worst, error.worst);
      }
      if (progress) {
        progress({"study", ++done, total, fmt::format("{0} x {0}", point.size)});
      }
    }
  }
  return rows;
}

}  // namespace xbar::validation
