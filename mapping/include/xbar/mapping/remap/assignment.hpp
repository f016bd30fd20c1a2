#pragma once

/// The linear assignment problem.

#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::mapping {

/// Gives every row of `cost` a column of its own so that the sum of the entries is least, by
/// shortest augmenting paths with potentials [Jonker1987]: O(rows^2 columns).
/// @param cost  finite, rows <= columns
/// @return column of each row
/// @throws InvalidArgument for more rows than columns or an entry that is not finite
[[nodiscard]] std::vector<Index> linear_assignment(const Matrix& cost);

/// The same for costs line(i) slot(s), by sorting: the largest lines take the smallest slots, whose
/// products have the least sum of all orders (the rearrangement inequality [Hardy1934]).
/// @param lines, slots  finite, >= 0; no more lines than slots
/// @return slot of each line
/// @throws InvalidArgument for more lines than slots or a value that is negative or not finite
[[nodiscard]] std::vector<Index> product_assignment(const Eigen::VectorXd& lines,
                                                    const Eigen::VectorXd& slots);

}  // namespace xbar::mapping
