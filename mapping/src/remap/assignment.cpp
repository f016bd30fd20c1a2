#include <limits>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/assignment.hpp>

namespace xbar::mapping {

std::vector<Index> linear_assignment(const Matrix& cost) {
  const Index rows = cost.rows();
  const Index columns = cost.cols();
  if (rows > columns) {
    throw InvalidArgument(
        fmt::format("assignment: expected at most as many rows as columns, got {} rows, {} columns",
                    rows, columns));
  }
  if (!cost.allFinite()) throw InvalidArgument("assignment: expected finite costs, got others");
  constexpr Index none = -1;
  std::vector<double> row_potential(static_cast<std::size_t>(rows), 0.0);
  // One more column, the root of each search; it holds the row that is being placed.
  const auto width = static_cast<std::size_t>(columns) + 1;
  std::vector<double> column_potential(width, 0.0);
  std::vector<Index> row_of(width, none);
  std::vector<std::size_t> before(width);
  std::vector<double> distance(width);
  std::vector<bool> done(width);
  const std::size_t root = width - 1;
  for (Index placed = 0; placed < rows; ++placed) {
    row_of[root] = placed;
    std::fill(distance.begin(), distance.end(), std::numeric_limits<double>::infinity());
    std::fill(done.begin(), done.end(), false);
    std::size_t at = root;
    do {
      done[at] = true;
      const Index row = row_of[at];
      double step = std::numeric_limits<double>::infinity();
      std::size_t next = root;
      for (std::size_t j = 0; j < root; ++j) {
        if (done[j]) continue;
        const double reduced = cost(row, static_cast<Index>(j)) -
                               row_potential[static_cast<std::size_t>(row)] - column_potential[j];
        if (reduced < distance[j]) {
          distance[j] = reduced;
          before[j] = at;
        }
        if (distance[j] < step) {
          step = distance[j];
          next = j;
        }
      }
      for (std::size_t j = 0; j < width; ++j) {
        if (done[j]) {
          row_potential[static_cast<std::size_t>(row_of[j])] += step;
          column_potential[j] -= step;
        } else {
          distance[j] -= step;
        }
      }
      at = next;
    } while (row_of[at] != none);
    // Every row on the path moves one column on.
    while (at != root) {
      row_of[at] = row_of[before[at]];
      at = before[at];
    }
  }
  std::vector<Index> column_of(static_cast<std::size_t>(rows));
  for (std::size_t j = 0; j < root; ++j) {
    if (row_of[j] != none) column_of[static_cast<std::size_t>(row_of[j])] = static_cast<Index>(j);
  }
  return column_of;
}

}  // namespace xbar::mapping
