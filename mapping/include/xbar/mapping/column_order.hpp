#pragma once

/// Re-mapping: which output goes to which column and which input to which row, so that wire
/// resistance hurts least.

#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// How columns and rows are arranged.
enum class RemapStrategy {
  none,     ///< as trained: output o in slot o, input k in slot k
  srs,      ///< static: by the ideal network's sensitivities, once
  drs,      ///< dynamic: layer by layer, by the sensitivities of the network on its arrays
  optimal,  ///< by assignment and exchanges that lower the error of the outputs (optimal_order)
};

/// @throws InvalidArgument for any other name.
[[nodiscard]] RemapStrategy parse_remap_strategy(std::string_view name);
[[nodiscard]] std::string_view remap_strategy_name(RemapStrategy strategy);

/// Static re-mapping by sensitivity (our definition of X-CHANGR's SRS [Agrawal2019], whose steps
/// are not published): outputs sorted by falling sensitivity fill the column slots in order of
/// distance from the row drivers, slot 0 of every tile column first, then slot 1 of every tile
/// column, ... Equal sensitivities keep their order.
/// @param sensitivity   one number an output, larger = errors on it hurt more, finite
/// @param outputs_per_tile  Technology::outputs_per_tile
/// @return slot of each output, for CrossbarMatrix::set_column_order
/// @throws InvalidArgument for an empty list or a not finite entry
[[nodiscard]] std::vector<Index> order_by_sensitivity(const std::vector<double>& sensitivity,
                                                      Index outputs_per_tile);

/// The same for inputs: row slots in order of distance from the sense amplifiers, the last wordline
/// of every tile row first.
/// @param sensitivity  one number an input
/// @return row slot of each input, for CrossbarMatrix::set_order
/// @throws InvalidArgument as order_by_sensitivity
[[nodiscard]] std::vector<Index> rows_by_sensitivity(const std::vector<double>& sensitivity,
                                                     Index tile_rows);

}  // namespace xbar::mapping
