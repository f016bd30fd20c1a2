#pragma once

/// The error of a fit on readings that it has not seen.

#include <cstdint>
#include <functional>

#include "curve_fit.hpp"
#include "held_out.hpp"

namespace xbar::fit {

/// What is held out together.
struct Folds {
  /// masks[f][c][k]: whether fold f holds out reading k of response c.
  std::vector<std::vector<std::vector<bool>>> masks;
  bool whole_curves = false;
};

/// With twice as many curves as folds, whole curves but their first reading, all curves of a device
/// together where there are as many devices as folds; else contiguous blocks of pulses: of every
/// run in one direction the f-th part.
/// @param devices  of each response
[[nodiscard]] Folds make_folds(const std::vector<Response>& responses,
                               const std::vector<std::string>& devices, int folds,
                               std::uint64_t seed);

/// Fits to what each fold leaves, from `fit` on, and goes on from there without the readings that
/// were held out.
/// @param gain  with which the readings before a block say where it starts
[[nodiscard]] HeldOut validate(const Shape& shape, const std::vector<Response>& responses,
                               const Folds& folds, const CurveFitOptions& options,
                               const CurveFit& fit, double gain,
                               const std::function<void()>& fold_done);

}  // namespace xbar::fit
