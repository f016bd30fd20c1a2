#pragma once

/// Matrices as text.

#include <string>

#include <xbar/core/matrix.hpp>

namespace xbar::detail {

/// One line a row, comma separated, 17 significant digits: reads back to the same bits.
[[nodiscard]] std::string format_csv(const Matrix& values);

}  // namespace xbar::detail
