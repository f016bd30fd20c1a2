#pragma once

/// Tiles of 8 x 8 on whose strong wires places differ.

#include <xbar/mapping/crossbar_matrix.hpp>

namespace xbar_test {

inline xbar::mapping::CrossbarOptions small_tiles(xbar::mapping::Layout layout,
                                                  xbar::surrogate::ModelKind model) {
  xbar::mapping::CrossbarOptions options;
  options.technology.tile_rows = 8;
  options.technology.tile_columns = 8;
  options.technology.layout = layout;
  options.technology.wires = {
      .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 20, .bitline_ohm = 20};
  options.technology.on_ohm = 5e3;
  options.model = model;
  return options;
}

}  // namespace xbar_test
