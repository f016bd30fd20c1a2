#pragma once

/// One pass over the cells that tells whether they are valid, all finite, and how much they
/// conduct.

#include <xbar/core/matrix.hpp>

namespace xbar::solver {

/// Sum of all conductances, siemens: infinite if a cell is shorted, NaN if an entry is negative or
/// NaN.
[[nodiscard]] double conductance_sum(const Matrix& conductance);

}  // namespace xbar::solver
