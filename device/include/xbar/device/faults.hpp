#pragma once

/// Cells that no write moves.

#include <cstdint>
#include <span>

#include <xbar/core/random.hpp>

namespace xbar::device {

enum class CellFault : std::uint8_t {
  none,
  stuck_on,   ///< G = g_max whatever is written
  stuck_off,  ///< G = g_min whatever is written
  open,       ///< broken: G = 0
};

/// Shares of faulty cells: the probabilities with which each cell, independently, has the fault.
/// Their sum is at most 1.
struct CellFaults {
  double stuck_on = 0;
  double stuck_off = 0;
  double open = 0;

  [[nodiscard]] bool any() const { return stuck_on > 0 || stuck_off > 0 || open > 0; }
};

/// @throws InvalidArgument naming the first share that is not in [0, 1], or a sum above 1.
void check_cell_faults(const CellFaults& faults);

/// Faults of the cells first_index, first_index + 1, ...: cell k's is decided by draw k of
/// fill_uniform, u: stuck on for u < stuck_on, then stuck off, then open, each share resolved to
/// 2^-24. So cells that are stuck on at one share are so at every larger one.
/// @param stream  of the array, the same at every call for it
void draw_cell_faults(const CellFaults& faults, const RandomStream& stream,
                      std::uint64_t first_index, std::span<CellFault> fault);

}  // namespace xbar::device
