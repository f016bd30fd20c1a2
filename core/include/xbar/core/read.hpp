#pragma once

/// Ways to read an array.

#include <string_view>

namespace xbar {

/// Which way the array is read.
enum class Direction {
  forward,   ///< inputs on the wordlines, outputs on the bitlines
  backward,  ///< inputs on the bitlines' sense ends, outputs at the wordlines' driven ends
};

/// What sits at the terminals when the array is read backward.
enum class Terminals {
  keep,  ///< each terminal keeps its resistor: reciprocity makes backward = forward^T
  swap,  ///< driver and sense amplifier change places, and source_ohm and sink_ohm with them
};

/// @throws InvalidArgument for a name that is not forward or backward.
[[nodiscard]] Direction parse_direction(std::string_view name);

/// @throws InvalidArgument for a name that is not keep or swap.
[[nodiscard]] Terminals parse_terminals(std::string_view name);

}  // namespace xbar
