#pragma once

#include <utility>

#include <xbar/core/wires.hpp>

namespace xbar::mapping {

/// Driver and sense amplifier exchanged.
inline WireResistance swapped_wires(WireResistance wires) {
  std::swap(wires.source_ohm, wires.sink_ohm);
  return wires;
}

}  // namespace xbar::mapping
