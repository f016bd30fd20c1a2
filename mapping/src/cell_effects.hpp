#pragma once

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>
#include <xbar/mapping/technology.hpp>

namespace xbar::mapping {

/// Whether any cell of the technology differs from what it is programmed to.
[[nodiscard]] bool has_cell_effects(const Technology& technology);

/// Faults, device-to-device variation and drift of a plane of arrays: with them
///   G / (g_max - g_min) = slope x + base,
/// which the matrices (one entry a cell) hold for perfect cells before and for these after.
/// @param cells  the plane's own stream
void apply_cell_effects(const Technology& technology, const RandomStream& cells, MatrixF& slope,
                        MatrixF& base);

}  // namespace xbar::mapping
