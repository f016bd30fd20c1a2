#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/assignment.hpp>

namespace xbar::mapping {
namespace {

void check_sizes(Index rows, Index columns) {
  if (rows <= columns) return;
  throw InvalidArgument(
      fmt::format("assignment: expected at most as many rows as columns, got {} rows, {} columns",
                  rows, columns));
}

// Places by rising value, equal ones by place.
std::vector<Index> by_value(const Eigen::VectorXd& values) {
  std::vector<Index> places(static_cast<std::size_t>(values.size()));
  std::iota(places.begin(), places.end(), Index{0});
  std::stable_sort(places.begin(), places.end(),
                   [&](Index a, Index b) { return values(a) < values(b); });
  return places;
}

}  // namespace

std::vector<Index> product_assignment(const Eigen::VectorXd& lines, const Eigen::VectorXd& slots) {
  check_sizes(lines.size(), slots.size());
  for (const Eigen::VectorXd* values : {&lines, &slots}) {
    if (values->allFinite() && (values->array() >= 0).all()) continue;
    throw InvalidArgument("assignment: expected finite values >= 0, got others");
  }
  const std::vector<Index> line = by_value(-lines);
  const std::vector<Index> slot = by_value(slots);
  std::vector<Index> slot_of(line.size());
  for (std::size_t k = 0; k < line.size(); ++k) {
    slot_of[static_cast<std::size_t>(line[k])] = slot[k];
  }
  return slot_of;
}

std::vector<Index> linear_assignment(const Matrix& cost) {
  const Index rows = cost.rows();
  const Index columns = cost.cols();
  check_sizes(rows, columns);
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
