#pragma once

/// Which exchanges of lines promise most.

#include <vector>

#include <Eigen/Core>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// Lines of one kind, outputs or inputs, as exchanges see them.
struct Lines {
  std::vector<Index> slot_of;  ///< slot of each line
  Eigen::VectorXd slope;       ///< d(loss) / d(share that wires let through) of each line
  Eigen::VectorXd bend;        ///< its derivative
  Eigen::VectorXd loss;        ///< share lost at each slot
};

/// A line goes to a slot, and whatever is there to the line's.
struct Exchange {
  double gain = 0;
  Index line = 0;
  Index slot = 0;
};

/// Exchanges whose gain
///   -(slope_l m + bend_l m^2 / 2) - (-slope_o m + bend_o m^2 / 2),  m = loss(slot of l) -
///   loss(slot of o)
/// is above 0 (an empty slot has slope and bend 0): the best one, the best of those that touch
/// neither of its slots, and so on, at most `most`.
[[nodiscard]] std::vector<Exchange> best_exchanges(const Lines& lines, Index most);

/// Makes them.
void apply(const std::vector<Exchange>& exchanges, std::vector<Index>& slot_of);

}  // namespace xbar::mapping
