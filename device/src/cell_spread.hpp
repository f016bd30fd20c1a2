#pragma once

/// Draws of what differs from cell to cell (device/pulse_device.hpp).

#include <xbar/core/matrix.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/pulse_device.hpp>

namespace xbar::device {

/// Of `lines` lines of `length` cells each; empty where all cells are alike.
struct CellSpread {
  MatrixF up_factor;  ///< of the steps, relative to the model's
  MatrixF down_factor;
  MatrixF lower;  ///< bounds, x
  MatrixF upper;
  MatrixF up_at_0;  ///< steps of cells whose non-linearity differs: up_at_0 + up_slope x
  MatrixF up_slope;
  MatrixF down_at_0;
  MatrixF down_slope;
  MatrixF life;  ///< pulses that a cell stands
};

/// Every number has a stream of its own, so that one sigma does not change the draws of another.
[[nodiscard]] CellSpread draw_cell_spread(const PulseDevice& device, Index lines, Index length,
                                          const RandomStream& cells);

}  // namespace xbar::device
