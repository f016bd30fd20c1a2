#pragma once

/// The write path by the wired solver: what surrogate/write_path.hpp is measured against.

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>
#include <xbar/surrogate/write_path.hpp>

namespace xbar::surrogate {

/// As write_path(), with one solution of the whole array for each wordline: O(m^2 n).
/// @throws InvalidArgument as solver::check_conductance and check_wires; NumericalError
[[nodiscard]] WritePath exact_write_path(const Matrix& conductance, const WireResistance& wires,
                                         WriteScheme scheme);

/// As stochastic_write_path(), with one solution for each line: O((m + n) m n). Exact for the mean:
/// voltages are linear in what the lines do, and these do it independently.
[[nodiscard]] WritePath exact_stochastic_write_path(const Matrix& conductance,
                                                    const WireResistance& wires,
                                                    const Vector& row_rate,
                                                    const Vector& column_rate);

}  // namespace xbar::surrogate
