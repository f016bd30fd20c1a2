#include <cmath>
#include <numeric>
#include <utility>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/mapping/converted_read.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::mapping::ArrayOrder;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::Gain;
using xbar::mapping::Layout;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

constexpr Index tile = 8;

CrossbarOptions options_with(ModelKind kind, Layout layout) {
  CrossbarOptions options;
  options.technology.tile_rows = tile;
  options.technology.tile_columns = tile;
  options.technology.layout = layout;
  options.technology.on_ohm = 5e3;  // a drop of tens of percent: a cell read at another place shows
  options.model = kind;
  options.exact = xbar::surrogate::exact_solver();
  return options;
}

MatrixF random_weight(Index outputs, Index inputs, std::uint64_t seed) {
  return random_matrix(outputs, inputs, -1, 1, seed).cast<float>();
}

// The first `count` of all slots in a random order.
std::vector<Index> random_slots(Index count, Index slots, std::uint64_t seed) {
  std::vector<Index> all(static_cast<std::size_t>(slots));
  std::iota(all.begin(), all.end(), Index{0});
  const xbar::RandomStream draws(seed, "slots");
  for (std::size_t k = all.size(); k > 1; --k) std::swap(all[k - 1], all[draws.below(k, k)]);
  all.resize(static_cast<std::size_t>(count));
  return all;
}

ArrayOrder random_order(const CrossbarMatrix& matrix, std::uint64_t seed) {
  return {random_slots(matrix.outputs(), matrix.slot_count(), seed),
          random_slots(matrix.inputs(), matrix.row_slot_count(), seed + 100)};
}

double error(const MatrixF& a, const MatrixF& b) {
  return relative_error(a.cast<double>(), b.cast<double>());
}

constexpr std::array layouts = {Layout::differential, Layout::interleaved, Layout::offset,
                                Layout::reference};

}  // namespace

TEST_CASE("mapping/array_order: no order changes what ideal wires compute", "[mapping][order]") {
  for (const Layout layout : layouts) {
    CrossbarMatrix matrix(11, 21, 1.0F, options_with(ModelKind::ideal, layout));
    const MatrixF weight = random_weight(11, 21, 1);
    matrix.program(weight);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      INFO("layout " << layout_name(layout) << ", seed " << seed);
      matrix.set_order(random_order(matrix, seed));
      CHECK(error(matrix.weight(), weight) <= 1e-6);
      CHECK(error(matrix.forward_weight(), weight) <= 1e-6);
      CHECK(error(matrix.backward_weight(), weight) <= 1e-6);
    }
    // What is written afterwards goes to the same cells.
    MatrixF delta = random_weight(11, 21, 2) * 0.01F;
    matrix.update(delta);
    const MatrixF expected = (weight + delta).cwiseMax(-1.0F).cwiseMin(1.0F);
    CHECK(error(matrix.forward_weight(), expected) <= 1e-6);
    matrix.program(weight);
    CHECK(error(matrix.forward_weight(), weight) <= 1e-6);
  }
}

TEST_CASE("mapping/array_order: wired weights are those of the permuted array, solved exactly",
          "[mapping][order]") {
  // The same weights put down permuted by hand, in a matrix of as many outputs and inputs as there
  // are slots. Empty slots hold weight 0; with the pairs those are cells at g_min, as empty ones.
  for (const Layout layout : {Layout::differential, Layout::interleaved}) {
    CrossbarMatrix matrix(6, 13, 1.0F, options_with(ModelKind::exact, layout));
    const MatrixF weight = random_weight(6, 13, 3);
    matrix.program(weight);
    const MatrixF as_trained = matrix.forward_weight();
    const ArrayOrder order = random_order(matrix, 7);
    matrix.set_order(order);
    CrossbarMatrix by_hand(matrix.slot_count(), matrix.row_slot_count(), 1.0F,
                           options_with(ModelKind::exact, layout));
    MatrixF placed = MatrixF::Zero(by_hand.outputs(), by_hand.inputs());
    for (std::size_t o = 0; o < 6; ++o) {
      for (std::size_t k = 0; k < 13; ++k) {
        placed(order.slot_of_output[o], order.slot_of_input[k]) =
            weight(static_cast<Index>(o), static_cast<Index>(k));
      }
    }
    by_hand.program(placed);
    MatrixF expected(6, 13);
    for (std::size_t o = 0; o < 6; ++o) {
      for (std::size_t k = 0; k < 13; ++k) {
        expected(static_cast<Index>(o), static_cast<Index>(k)) =
            by_hand.forward_weight()(order.slot_of_output[o], order.slot_of_input[k]);
      }
    }
    CHECK(error(matrix.forward_weight(), expected) <= 1e-6);
    CHECK(error(matrix.forward_weight(), as_trained) >= 1e-3);  // the order does matter
  }
}

TEST_CASE("mapping/array_order: the order is saved, restored and copied", "[mapping][order]") {
  for (const Layout layout : layouts) {
    INFO("layout " << layout_name(layout));
    CrossbarOptions options = options_with(ModelKind::ladder, layout);
    options.technology.gain = Gain::column;
    CrossbarMatrix matrix(11, 21, 1.0F, options);
    matrix.program(random_weight(11, 21, 4));
    matrix.set_order(random_order(matrix, 5));
    CrossbarMatrix restored(11, 21, 1.0F, options);
    restored.restore(matrix.state());
    CHECK(restored.order() == matrix.order());
    CHECK(error(restored.forward_weight(), matrix.forward_weight()) == 0.0);
    CHECK(error(restored.gain(), matrix.gain()) == 0.0);
    CrossbarMatrix copied(11, 21, 1.0F, options);
    copied.copy_cells(matrix);
    CHECK(error(copied.forward_weight(), matrix.forward_weight()) == 0.0);
    // Back as trained, all is as it was.
    CrossbarMatrix fresh(11, 21, 1.0F, options);
    fresh.program(random_weight(11, 21, 4));
    matrix.set_order(xbar::mapping::as_trained(11, 21));
    CHECK(error(matrix.forward_weight(), fresh.forward_weight()) <= 1e-7);
  }
}

TEST_CASE("mapping/array_order: the arrays behind converters carry the effective weights",
          "[mapping][order]") {
  // Sum over the arrays of coefficient E(o, l(k)) is W_eff, whichever line an input is on.
  for (const Layout layout : {Layout::differential, Layout::offset}) {
    CrossbarMatrix matrix(6, 13, 1.0F, options_with(ModelKind::ladder, layout));
    matrix.program(random_weight(6, 13, 6));
    matrix.set_order(random_order(matrix, 8));
    MatrixF forward = MatrixF::Zero(6, 13);
    for (const auto& array : matrix.read_arrays(xbar::mapping::Direction::forward)) {
      for (Index o = 0; o < 6; ++o) {
        for (Index k = 0; k < 13; ++k) {
          const Index line = matrix.row_order()[static_cast<std::size_t>(k)];
          forward(o, k) += array.coefficient * array.effective(o, line);
        }
      }
    }
    CHECK(error(forward, matrix.forward_weight()) <= 1e-6);
    MatrixF backward = MatrixF::Zero(6, 13);
    for (const auto& array : matrix.read_arrays(xbar::mapping::Direction::backward)) {
      for (Index o = 0; o < 6; ++o) {
        const Index slot = matrix.column_order()[static_cast<std::size_t>(o)];
        backward.row(o) += array.coefficient * array.effective.row(slot);
      }
    }
    CHECK(error(backward, matrix.backward_weight()) <= 1e-6);
  }
}

TEST_CASE("mapping/array_order: gradients through the arrays follow the order",
          "[mapping][order]") {
  // Against the change of W_eff of one weight's cell, by central differences; the ladder is the
  // member whose gradient is its own derivative.
  CrossbarMatrix matrix(6, 13, 1.0F, options_with(ModelKind::ladder, Layout::differential));
  const MatrixF weight = random_weight(6, 13, 9);
  const MatrixF cotangent = random_weight(6, 13, 10);
  matrix.program(weight);
  matrix.set_order(random_order(matrix, 11));
  MatrixF gradient = cotangent;
  matrix.backpropagate(gradient);
  constexpr float step = 1e-2F;
  const auto loss = [&](float change) {
    MatrixF moved = weight;
    moved(4, 9) += change;
    matrix.program(moved);
    return matrix.forward_weight().cast<double>().cwiseProduct(cotangent.cast<double>()).sum();
  };
  REQUIRE(std::abs(weight(4, 9)) >= 2 * step);  // no change of sign
  const double slope = (loss(step) - loss(-step)) / (2.0 * static_cast<double>(step));
  // Rounding of single-precision sums over the step: 1e-6 / 1e-2.
  CHECK_THAT(static_cast<double>(gradient(4, 9)), xbar_test::WithinAbs(slope, 2e-3));
}

TEST_CASE("mapping/array_order: refuses slots used twice, missing or beyond the arrays",
          "[mapping][order]") {
  CrossbarMatrix matrix(3, 5, 1.0F, options_with(ModelKind::ideal, Layout::differential));
  matrix.program(random_weight(3, 5, 1));
  REQUIRE_THROWS_WITH(matrix.set_order({{0, 1, 1}, {0, 1, 2, 3, 4}}),
                      xbar_test::Contains("column order: slot 1 is used twice"));
  REQUIRE_THROWS_WITH(matrix.set_order({{0, 1, 2}, {0, 1, 2, 3, 8}}),
                      xbar_test::Contains("row order: expected slots 0 to 7, got 8"));
  REQUIRE_THROWS_WITH(matrix.set_order({{0, 1, 2}, {0, 1, 2, 3}}),
                      xbar_test::Contains("row order: expected 5 slots, one an input, got 4"));
}
