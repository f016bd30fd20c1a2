#pragma once

/// How far ideal arithmetic and the surrogates are from the exact solver, over a grid of
/// technologies.

#include <cstdint>
#include <vector>

#include <xbar/core/matrix.hpp>
#include <xbar/core/progress.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/model.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

namespace xbar::validation {

/// One technology: square arrays of side `size`, cells uniform in [g_min, g_max].
struct StudyPoint {
  Index size = 64;
  double on_ohm = 20e3;
  double on_off_ratio = 10;
  WireResistance wires = {.source_ohm = 100, .sink_ohm = 100, .wordline_ohm = 1, .bitline_ohm = 1};
};

/// What one surrogate does at one point.
struct StudyRow {
  StudyPoint point;
  surrogate::ModelKind model = surrogate::ModelKind::ideal;
  surrogate::CurrentError error;  ///< worst: over arrays and inputs; mean: likewise
  double seconds = 0;             ///< to get G_eff of one array, mean
  double exact_seconds = 0;       ///< the exact solver's time for the same, mean
};

struct StudyOptions {
  Index arrays = 3;   ///< random arrays a point
  Index inputs = 32;  ///< random sparse input vectors an array
  std::uint64_t seed = 1;
  std::vector<surrogate::ModelKind> models = {surrogate::ModelKind::ideal,
                                              surrogate::ModelKind::ladder,
                                              surrogate::ModelKind::operating_point};
};

/// A random array of a study point: G uniform in [g_min, g_max], from RandomStream(seed,
/// "study-array").
[[nodiscard]] Matrix random_conductance(const StudyPoint& point, std::uint64_t seed);

/// Runs every model at every point against solver::effective_conductance.
/// @return one row for each (point, model), points outermost
/// @throws as the solver; InvalidArgument for arrays or inputs < 1
[[nodiscard]] std::vector<StudyRow> surrogate_study(const std::vector<StudyPoint>& points,
                                                    const StudyOptions& options,
                                                    const ProgressCallback& progress = {});

}  // namespace xbar::validation
