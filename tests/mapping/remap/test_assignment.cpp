#include <algorithm>
#include <limits>
#include <numeric>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/assignment.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::mapping::linear_assignment;
using xbar::mapping::product_assignment;

namespace {

double sum_of(const Matrix& cost, const std::vector<Index>& columns) {
  double sum = 0;
  for (Index row = 0; row < cost.rows(); ++row) {
    sum += cost(row, columns[static_cast<std::size_t>(row)]);
  }
  return sum;
}

// The least sum over all ways to give each row a column of its own.
double least_sum(const Matrix& cost) {
  std::vector<Index> columns(static_cast<std::size_t>(cost.cols()));
  std::iota(columns.begin(), columns.end(), Index{0});
  double least = std::numeric_limits<double>::infinity();
  do {
    least = std::min(least, sum_of(cost, columns));
  } while (std::next_permutation(columns.begin(), columns.end()));
  return least;
}

}  // namespace

TEST_CASE("mapping/remap/assignment: by hand", "[mapping][remap]") {
  // Row 0 would like column 0 (1), but row 1 loses more by leaving it (9 against 2):
  // 2 + 1 + 3 = 6; the greedy choice costs 1 + 9 + 3 = 13.
  Matrix cost(3, 3);
  cost << 1, 2, 8,  //
      1, 9, 9,      //
      7, 7, 3;
  REQUIRE(linear_assignment(cost) == std::vector<Index>{1, 0, 2});
}

TEST_CASE("mapping/remap/assignment: least of all assignments, ties and negative costs included",
          "[mapping][remap]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    const Index rows = 1 + static_cast<Index>(seed % 6);
    const Index columns = 6;
    Matrix cost = xbar_test::random_matrix(rows, columns, -1, 1, seed);
    if (seed % 2 == 0) cost = (3 * cost).array().round().matrix();
    const std::vector<Index> found = linear_assignment(cost);
    std::vector<Index> sorted = found;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    // Sums of at most six numbers of size 3.
    CHECK_THAT(sum_of(cost, found), xbar_test::WithinAbs(least_sum(cost), 1e-12));
  }
}

TEST_CASE("mapping/remap/assignment: refuses more rows than columns and infinite costs",
          "[mapping][remap]") {
  REQUIRE_THROWS_WITH(linear_assignment(Matrix::Zero(3, 2)),
                      xbar_test::Contains("got 3 rows, 2 columns"));
  Matrix cost = Matrix::Zero(2, 2);
  cost(1, 1) = std::numeric_limits<double>::infinity();
  REQUIRE_THROWS_AS(linear_assignment(cost), xbar::InvalidArgument);
}

TEST_CASE("mapping/remap/assignment: costs that are products cost what the general way finds",
          "[mapping][remap]") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    const auto lines = static_cast<Index>(1 + seed % 12);
    Eigen::VectorXd line = xbar_test::random_matrix(lines, 1, 0, 1, seed);
    Eigen::VectorXd slot = xbar_test::random_matrix(12, 1, 0, 1, seed + 100);
    if (seed % 2 == 0) slot = (4 * slot).array().round().matrix();  // ties, slots without loss
    const Matrix cost = line * slot.transpose();
    const std::vector<Index> found = product_assignment(line, slot);
    std::vector<Index> sorted = found;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    CHECK_THAT(sum_of(cost, found),
               xbar_test::WithinAbs(sum_of(cost, linear_assignment(cost)), 1e-12));
  }
  REQUIRE_THROWS_WITH(product_assignment(Eigen::VectorXd::Ones(3), Eigen::VectorXd::Ones(2)),
                      xbar_test::Contains("got 3 rows, 2 columns"));
  REQUIRE_THROWS_AS(product_assignment(-Eigen::VectorXd::Ones(2), Eigen::VectorXd::Ones(2)),
                    xbar::InvalidArgument);
}
