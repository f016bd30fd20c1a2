#pragma once

/// Where the rows and columns of a layer's weights sit on its arrays.

#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// A place for every output and every input of a layer, for CrossbarMatrix::set_order. Slots may
/// outnumber them: those without one stay empty.
struct ArrayOrder {
  /// Column slot of each output: slot s is the (s mod n')-th of tile column s / n', n' being
  /// Technology::outputs_per_tile.
  std::vector<Index> slot_of_output;
  /// Row slot of each input: slot r is wordline r mod m of tile row r / m, m being
  /// Technology::tile_rows.
  std::vector<Index> slot_of_input;
  friend bool operator==(const ArrayOrder&, const ArrayOrder&) = default;
};

/// Output o in slot o, input k in slot k.
[[nodiscard]] ArrayOrder as_trained(Index outputs, Index inputs);

/// @throws InvalidArgument if an order has another number of entries, two share a slot, or a slot
///         lies outside 0 .. column_slots-1 or 0 .. row_slots-1
void check_order(const ArrayOrder& order, Index outputs, Index inputs, Index column_slots,
                 Index row_slots);

}  // namespace xbar::mapping
