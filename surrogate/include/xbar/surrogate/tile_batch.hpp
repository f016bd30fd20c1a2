#pragma once

/// Many equal arrays in one piece of memory.

#include <xbar/core/matrix.hpp>

namespace xbar::surrogate {

/// Equal tiles side by side in memory: tile t, wordline i, bitline j at [(t * rows + i) * columns +
/// j].
struct TileBatch {
  Index count = 0;
  Index rows = 0;     ///< m, wordlines of a tile
  Index columns = 0;  ///< n, bitlines of a tile
  [[nodiscard]] Index tile_size() const { return rows * columns; }
  [[nodiscard]] Index size() const { return count * tile_size(); }
  friend bool operator==(const TileBatch&, const TileBatch&) = default;
};

}  // namespace xbar::surrogate
