#pragma once

/// Re-mapping: which output goes to which column, so that wire resistance hurts least.

#include <string_view>
#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// How columns are arranged.
enum class RemapStrategy {
  none,  ///< as trained: output o in slot o
  srs,   ///< static: by the ideal network's sensitivities, once
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

}  // namespace xbar::mapping
