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

}  // namespace xbar::mapping
