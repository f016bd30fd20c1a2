#pragma once

/// The resistances around the cells of a crossbar.

namespace xbar {

/// Line, source and sink resistance of an array, ohm, each >= 0 and finite; exactly 0 merges the
/// nodes it joins (docs/conventions.md draws the circuit).
///
///     V(i) -- source_ohm -- u(i,0) -- wordline_ohm -- u(i,1) -- ... -- u(i,n-1)   (open)
///     (open) w(0,j) -- bitline_ohm -- w(1,j) -- ... -- w(m-1,j) -- sink_ohm -- virtual ground
///
/// There is no segment before the first or after the last cell of a line.
struct WireResistance {
  double source_ohm = 0;
  double sink_ohm = 0;
  double wordline_ohm = 0;
  double bitline_ohm = 0;

  friend bool operator==(const WireResistance&, const WireResistance&) = default;
};

/// @throws InvalidArgument naming the resistance that is negative, infinite or NaN.
void check_wires(const WireResistance& wires);

}  // namespace xbar
