#pragma once

/// Whole pulses from what is asked for.

#include <xbar/core/random.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>

namespace xbar::nn {

/// One update by n = floor(|delta|/step + u) pulses to each weight, u uniform in (0, 1), so that
/// the mean of n is |delta|/step. Draws come from the substream of `draws` that belongs to this
/// update of the matrix.
void write_rounded(mapping::CrossbarMatrix& matrix, const MatrixF& delta,
                   const RandomStream& draws);

}  // namespace xbar::nn
