#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/exchange.hpp>
#include <xbar/mapping/remap/line_loss.hpp>

#include "small_tiles.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::exchange_lines;
using xbar::mapping::Layout;
using xbar::mapping::SignalMoments;
using xbar::surrogate::ModelKind;

namespace {

// Some moments with correlations.
SignalMoments moments_of(const CrossbarMatrix& matrix, unsigned seed) {
  const MatrixF x = xbar_test::random_matrix(40, matrix.inputs(), 0, 1, seed).cast<float>();
  const MatrixF g = xbar_test::random_matrix(40, matrix.outputs(), -1, 1, seed + 1).cast<float>();
  return {x.transpose() * x / 40.0F, g.transpose() * g / 40.0F};
}

// <gradient, D> + curvature / 2 tr(M D C D^T), term by term.
double model_value(const MatrixF& gradient, const SignalMoments& moments, float curvature,
                   const MatrixF& d) {
  double value = 0;
  for (Index o = 0; o < d.rows(); ++o) {
    for (Index k = 0; k < d.cols(); ++k) {
      value += static_cast<double>(gradient(o, k) * d(o, k));
      for (Index p = 0; p < d.rows(); ++p) {
        for (Index l = 0; l < d.cols(); ++l) {
          value += 0.5 * static_cast<double>(curvature * moments.outputs(o, p) * d(p, l) *
                                             moments.inputs(l, k) * d(o, k));
        }
      }
    }
  }
  return value;
}

}  // namespace

TEST_CASE("mapping/remap/exchange: lowers the loss by what it says, in every layout",
          "[mapping][remap]") {
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    INFO("layout " << layout_name(layout));
    CrossbarMatrix matrix(11, 21, 1.0F, xbar_test::small_tiles(layout, ModelKind::sneak_ladder));
    matrix.program(xbar_test::random_matrix(11, 21, -0.5, 0.5, 1).cast<float>());
    const SignalMoments moments = moments_of(matrix, 2);
    // Of the squared error of the outputs, whose curvature 1 is exact.
    const MatrixF error = matrix.forward_weight() - matrix.weight();
    const MatrixF gradient = moments.outputs * error * moments.inputs;
    const MatrixF zero = MatrixF::Zero(11, 21);
    const double before = model_value(zero, moments, 1, error);
    const MatrixF start = matrix.forward_weight();
    const double change = exchange_lines(matrix, {gradient, &moments, 1}, {});
    const MatrixF moved = matrix.forward_weight() - start;
    const double promised = model_value(gradient, moments, 1, moved);
    const double after = model_value(zero, moments, 1, matrix.forward_weight() - matrix.weight());
    CAPTURE(before, after, change);
    // The sums in single precision.
    CHECK(std::abs(change - promised) <= 1e-4 * before);
    CHECK(std::abs((after - before) - change) <= 1e-4 * before);
    CHECK(after <= 0.7 * before);
  }
}

TEST_CASE("mapping/remap/exchange: moves what it may, and nothing for a loss without slope",
          "[mapping][remap]") {
  CrossbarMatrix matrix(6, 10, 1.0F,
                        xbar_test::small_tiles(Layout::differential, ModelKind::sneak_ladder));
  matrix.program(xbar_test::random_matrix(6, 10, -1, 1, 3).cast<float>());
  const SignalMoments moments = moments_of(matrix, 4);
  const auto as_trained = matrix.order();
  const MatrixF zero = MatrixF::Zero(6, 10);
  CHECK(exchange_lines(matrix, {zero, &moments, 1}, {}) == 0);
  CHECK(matrix.order() == as_trained);
  const MatrixF gradient =
      moments.outputs * (matrix.forward_weight() - matrix.weight()) * moments.inputs;
  for (const bool columns : {false, true}) {
    for (const bool rows : {false, true}) {
      matrix.set_order(as_trained);
      const double change =
          exchange_lines(matrix, {gradient, &moments, 1}, {.columns = columns, .rows = rows});
      CHECK((change < 0) == (columns || rows));
      CHECK((matrix.column_order() == as_trained.slot_of_output) == !columns);
      CHECK((matrix.row_order() == as_trained.slot_of_input) == !rows);
    }
  }
}

TEST_CASE("mapping/remap/exchange: leaves a matrix of exact solves as such, and refuses sizes",
          "[mapping][remap]") {
  CrossbarMatrix matrix(3, 5, 1.0F,
                        xbar_test::small_tiles(Layout::differential, ModelKind::sneak_ladder));
  matrix.program(xbar_test::random_matrix(3, 5, -1, 1, 5).cast<float>());
  const SignalMoments moments = moments_of(matrix, 6);
  REQUIRE_THROWS_WITH(exchange_lines(matrix, {MatrixF::Zero(5, 3), &moments, 1}, {}),
                      xbar_test::Contains("gradient: expected 3 x 5, got 5 x 3"));
  const SignalMoments other{MatrixF::Identity(4, 4), MatrixF::Identity(3, 3)};
  REQUIRE_THROWS_WITH(exchange_lines(matrix, {MatrixF::Zero(3, 5), &other, 1}, {}),
                      xbar_test::Contains("input moments: expected 5 x 5, got 4 x 4"));
}

TEST_CASE("mapping/remap/line_loss: the share a tile of equal cells loses, by line",
          "[mapping][remap]") {
  // Only the wordlines have resistance, and there is none before the first cell: with 2 x 2 cells
  // of G the first bitline loses nothing, the second 1 - 1 / (1 + r G).
  CrossbarOptions options = xbar_test::small_tiles(Layout::differential, ModelKind::sneak_ladder);
  options.technology.tile_rows = 2;
  options.technology.tile_columns = 2;
  options.technology.wires = {
      .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 100, .bitline_ohm = 0};
  CrossbarMatrix matrix(2, 2, 1.0F, options);
  matrix.program(MatrixF::Zero(2, 2));  // all cells at g_min = 1 / 50 kohm
  const double rg = 100.0 / 50e3;
  const auto loss = xbar::mapping::line_loss(matrix);
  REQUIRE(loss.bitline.size() == 2);
  CHECK(std::abs(loss.bitline(0)) <= 1e-12);
  CHECK(std::abs(loss.bitline(1) - rg / (1 + rg)) <= 1e-9);  // conductances in single precision
  CHECK(std::abs(loss.wordline(0) - loss.wordline(1)) <= 1e-12);
}

TEST_CASE("mapping/crossbar_matrix: measured_by gives the same cells to another surrogate",
          "[mapping]") {
  CrossbarOptions options = xbar_test::small_tiles(Layout::differential, ModelKind::sneak_ladder);
  options.technology.faults.stuck_on = 0.1;
  CrossbarMatrix matrix(7, 9, 1.0F, options);
  matrix.program(xbar_test::random_matrix(7, 9, -1, 1, 7).cast<float>());
  auto order = matrix.order();
  std::swap(order.slot_of_input[0], order.slot_of_input[8]);
  matrix.set_order(order);
  const CrossbarMatrix copy = matrix.measured_by(ModelKind::ladder);
  CHECK(copy.order() == order);
  CHECK(copy.choice().model == ModelKind::ladder);
  for (Index plane = 0; plane < 2; ++plane) {
    for (Index t = 0; t < matrix.tile_count(); ++t) {
      CHECK(copy.tile_conductance(plane, t) == matrix.tile_conductance(plane, t));
    }
  }
  CHECK_FALSE(copy.forward_weight().isApprox(matrix.forward_weight(), 1e-6F));
  CHECK(copy.measured_by(ModelKind::sneak_ladder).forward_weight() == matrix.forward_weight());
}
