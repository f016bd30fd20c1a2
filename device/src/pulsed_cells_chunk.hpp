#pragma once

/// The part of a line that PulsedCells works on at a time.

#include <array>
#include <cstdint>

#include <xbar/device/pulsed_cells.hpp>

#include "pulse_kernels.hpp"

namespace xbar::device {

/// Cells in a chunk at most. Chunks begin at multiples of it, counted through all lines.
inline constexpr std::size_t chunk_cells = 256;
using ChunkFloats = std::array<float, chunk_cells>;

/// Which cells of a chunk get pulses, a bit each.
struct PulsedCells::Marks : std::array<std::uint64_t, chunk_cells / 64> {};

struct PulsedCells::Chunk {
  std::uint64_t index;  ///< number of the first cell, for its draws
  CellArrays cells;
  AffineArrays steps;  ///< of models that have them
  const float* life;
  Index offset;  ///< of the first cell, in matrices of all cells
};

}  // namespace xbar::device
