#pragma once

/// How far the surrogates are from the exact solver, over a grid of technologies.

#include <cstdint>
#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

namespace xbar::validation {

/// Arrays of one technology with one kind of weights.
struct StudyPoint {
  surrogate::CalibrationPoint technology;
  bool trained = false;  ///< tiles of a trained network; the technology's distribution is not used
};

/// "trained", or the name of the distribution.
[[nodiscard]] std::string_view weights_name(const StudyPoint& point);

/// What one member does at one point.
struct StudyRow {
  StudyPoint point;
  surrogate::Measurement measurement;
  double exact_seconds = 0;  ///< the exact solver's time for the same, likewise

  /// One effective conductance, measured anew.
  [[nodiscard]] double seconds() const {
    return measurement.refresh_seconds + measurement.effective_seconds;
  }
};

struct StudyOptions {
  surrogate::MeasureOptions measure;
  std::vector<surrogate::ModelKind> models = {
      surrogate::ModelKind::ideal, surrogate::ModelKind::ladder,
      surrogate::ModelKind::operating_point, surrogate::ModelKind::sneak_ladder};
  std::vector<MatrixF> weights;  ///< of the trained network's layers, out x in; for trained points
};

/// surrogate::measure() at every point.
/// @return one row for each (point, model), points outermost
/// @throws as surrogate::measure() and trained_tiles()
[[nodiscard]] std::vector<StudyRow> surrogate_study(const std::vector<StudyPoint>& points,
                                                    const StudyOptions& options,
                                                    const ProgressCallback& progress = {});

}  // namespace xbar::validation
