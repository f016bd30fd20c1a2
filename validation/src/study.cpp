#include <utility>

#include <fmt/format.h>

#include <xbar/device/conductance_range.hpp>
#include <xbar/validation/study.hpp>
#include <xbar/validation/trained_tiles.hpp>

namespace xbar::validation {
namespace {

using surrogate::CalibrationPoint;
using surrogate::Measurement;
using surrogate::ModelKind;

/// Tiles of the trained network, cut anew only where their size changes.
class TileSource {
 public:
  explicit TileSource(const StudyOptions& options) : options_(options) {}

  /// Arrays of a point, siemens.
  [[nodiscard]] std::vector<Matrix> arrays(const CalibrationPoint& point) {
    if (tiles_.empty() || tiles_.front().rows() != point.rows ||
        tiles_.front().cols() != point.columns) {
      tiles_ = trained_tiles(options_.weights, point.rows, point.columns, options_.measure.arrays,
                             options_.measure.seed);
    }
    const device::ConductanceRange g = device::conductance_range(point.on_ohm, point.on_off_ratio);
    std::vector<Matrix> arrays;
    for (const Matrix& share : tiles_) arrays.emplace_back(g.g_min + g.width() * share.array());
    return arrays;
  }

 private:
  const StudyOptions& options_;
  std::vector<Matrix> tiles_;
};

}  // namespace

std::string_view weights_name(const StudyPoint& point) {
  return point.trained ? "trained" : surrogate::distribution_name(point.technology.distribution);
}

std::vector<StudyRow> surrogate_study(const std::vector<StudyPoint>& points,
                                      const StudyOptions& options,
                                      const ProgressCallback& progress) {
  std::vector<ModelKind> models = options.models;
  models.push_back(ModelKind::exact);  // for its time
  TileSource tiles(options);
  std::vector<StudyRow> rows;
  double done = 0;
  for (const StudyPoint& point : points) {
    const CalibrationPoint& technology = point.technology;
    const std::vector<Measurement> measured =
        point.trained
            ? surrogate::measure(technology, tiles.arrays(technology), models, options.measure)
            : surrogate::measure(technology, models, options.measure);
    const Measurement& exact = measured.back();
    for (std::size_t k = 0; k < options.models.size(); ++k) {
      rows.push_back({point, measured[k], exact.refresh_seconds + exact.effective_seconds});
    }
    if (progress) {
      progress({"study", ++done, static_cast<double>(points.size()),
                fmt::format("{} x {}", technology.rows, technology.columns)});
    }
  }
  return rows;
}

}  // namespace xbar::validation
