#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/optimal.hpp>

#include "small_tiles.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::Layout;
using xbar::mapping::optimal_order;
using xbar::mapping::SignalMoments;
using xbar::surrogate::ModelKind;

namespace {

SignalMoments even(const CrossbarMatrix& matrix) {
  return {MatrixF::Identity(matrix.inputs(), matrix.inputs()),
          MatrixF::Identity(matrix.outputs(), matrix.outputs())};
}

double squared_error(const CrossbarMatrix& matrix) {
  return (matrix.forward_weight() - matrix.weight()).cast<double>().squaredNorm();
}

}  // namespace

TEST_CASE("mapping/remap/optimal: strong lines sit next to drivers and sense amplifiers",
          "[mapping][remap]") {
  // Output o carries what grows with o, input k what grows with k: outputs belong in falling order
  // on the bitlines from the drivers on, inputs in rising order towards the sense amplifiers.
  for (const Layout layout : {Layout::differential, Layout::offset}) {
    CrossbarMatrix matrix(4, 8, 1.0F, xbar_test::small_tiles(layout, ModelKind::ladder));
    matrix.program(MatrixF::Constant(4, 8, 0.5F));
    SignalMoments moments = even(matrix);
    for (Index k = 0; k < 8; ++k) moments.inputs(k, k) = std::pow(2.0F, static_cast<float>(k));
    for (Index o = 0; o < 4; ++o) moments.outputs(o, o) = std::pow(2.0F, static_cast<float>(o));
    const auto order = optimal_order(matrix, moments, {});
    CHECK(order.slot_of_output == std::vector<Index>{3, 2, 1, 0});
    CHECK(order.slot_of_input == std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7});
  }
}

TEST_CASE("mapping/remap/optimal: moves what it may, and the wired weights come nearer",
          "[mapping][remap]") {
  // A few large rows and columns among small ones, on 2 x 3 tiles with empty slots. With an offset
  // all cells draw much the same, and there is less to gain.
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    INFO("layout " << layout_name(layout));
    CrossbarMatrix matrix(11, 21, 1.0F, xbar_test::small_tiles(layout, ModelKind::ladder));
    MatrixF weight = xbar_test::random_matrix(11, 21, -0.1, 0.1, 1).cast<float>();
    for (const Index k : {0, 5, 9, 17}) weight.col(k) *= 4.0F;
    for (const Index o : {4, 7}) weight.row(o) *= 2.0F;
    matrix.program(weight);
    const auto as_trained = matrix.order();
    const double before = squared_error(matrix);
    for (const bool columns : {false, true}) {
      for (const bool rows : {false, true}) {
        matrix.set_order(as_trained);
        const auto order = optimal_order(matrix, even(matrix), {.columns = columns, .rows = rows});
        CHECK((order.slot_of_output == as_trained.slot_of_output) == !columns);
        CHECK((order.slot_of_input == as_trained.slot_of_input) == !rows);
        matrix.set_order(order);
        if (columns && rows) CHECK(squared_error(matrix) <= 0.9 * before);
      }
    }
  }
}

TEST_CASE("mapping/remap/optimal: weights leave the cells that are stuck", "[mapping][remap]") {
  // Without wires cells alone count; half as many weights as cells leave room.
  CrossbarOptions options = xbar_test::small_tiles(Layout::differential, ModelKind::ladder);
  options.technology.wires = {.source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 0, .bitline_ohm = 0};
  options.technology.faults.stuck_off = 0.1;
  CrossbarMatrix matrix(8, 9, 1.0F, options);
  matrix.program(xbar_test::random_matrix(8, 9, -1, 1, 2).cast<float>());
  const double before = squared_error(matrix);
  REQUIRE(before > 0);
  matrix.set_order(optimal_order(matrix, even(matrix), {}));
  CHECK(squared_error(matrix) <= 0.3 * before);
}

TEST_CASE("mapping/remap/optimal: refuses moments of other sizes", "[mapping][remap]") {
  const CrossbarMatrix matrix(3, 5, 1.0F,
                              xbar_test::small_tiles(Layout::differential, ModelKind::ladder));
  REQUIRE_THROWS_WITH(optimal_order(matrix, {MatrixF::Identity(4, 4), MatrixF::Identity(3, 3)}, {}),
                      xbar_test::Contains("input moments: expected 5 x 5, got 4 x 4"));
}
