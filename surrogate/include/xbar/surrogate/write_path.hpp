#pragma once

/// What the wires leave of a write pulse at each cell.

#include <string_view>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

namespace xbar::surrogate {

/// How the cells of one wordline are written together: it is at V, all bitlines are at 0, and the
/// other wordlines are at
///     half            V/2
///     third           V/3
///     one_transistor  0, their cells' transistors off: no current flows in them
enum class WriteScheme { half, third, one_transistor };

/// "v2", "v3", "1t1r". @throws InvalidArgument for another name
[[nodiscard]] WriteScheme parse_write_scheme(std::string_view name);
[[nodiscard]] std::string_view write_scheme_name(WriteScheme scheme);

/// Voltages u - w across cells as shares of the pulse's V, m x n each.
struct WritePath {
  Matrix selected;       ///< k(i,j) while the cell is written
  Matrix half_selected;  ///< mean while others are and it sees a part of the pulse
};

/// Writing wordline by wordline. half_selected is the mean over the other wordlines being written;
/// 0 where there is none.
///
/// With f(i,j) the share at the cell with all wordlines at 1, bitlines at 0, and a(i,j) that with
/// its own wordline alone at 1, s the share of the unselected wordlines, superposition gives
///   selected = s f + (1 - s) a,   half_selected = s f + (1 - s) (f - a) / (m - 1),
/// where f is solved exactly and a by the ladder of the wordline, its cells leading to bitlines
/// whose other cells lead to held wordlines. O(mn). For one_transistor the ladder is exact.
/// Linear cells; the pulse is over when currents have settled (docs/theory.md has the error).
/// @param conductance  m x n, siemens, >= 0
/// @throws InvalidArgument for an empty array, a bad conductance or bad wires, naming the entry
[[nodiscard]] WritePath write_path(const Matrix& conductance, const WireResistance& wires,
                                   WriteScheme scheme);

/// The parallel stochastic update: in a slot wordline i is at V/2 with probability row_rate(i),
/// bitline j at -V/2 with column_rate(j), all others at 0. The mean over what the other lines do:
///   selected       both lines of the cell fire
///   half_selected  one of them does, weighted by how often which does
/// From the fields at the lines' mean drive and the ladders of the cell's own lines, O(mn).
/// @param row_rate  m, column_rate: n, in [0, 1]
/// @throws InvalidArgument as write_path, and for rates out of range or of another length
[[nodiscard]] WritePath stochastic_write_path(const Matrix& conductance,
                                              const WireResistance& wires, const Vector& row_rate,
                                              const Vector& column_rate);

}  // namespace xbar::surrogate
