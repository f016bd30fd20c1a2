#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/mapping/remap/optimal.hpp>
#include <xbar/mapping/remap/output_error.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::Layout;
using xbar::mapping::OutputError;
using xbar::mapping::SignalMoments;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;

namespace {

CrossbarMatrix wired(Layout layout, Index outputs = 11, Index inputs = 21) {
  CrossbarOptions options;
  options.technology.tile_rows = 8;
  options.technology.tile_columns = 8;
  options.technology.layout = layout;
  options.technology.wires = {
      .source_ohm = 0, .sink_ohm = 0, .wordline_ohm = 20, .bitline_ohm = 20};
  options.technology.on_ohm = 5e3;
  options.model = ModelKind::ladder;
  CrossbarMatrix matrix(outputs, inputs, 1.0F, options);
  matrix.program(random_matrix(outputs, inputs, -1, 1, 1).cast<float>());
  return matrix;
}

// Second moments of ten random signals.
MatrixF moment(Index size, std::uint64_t seed) {
  const MatrixF signals = random_matrix(10, size, 0, 1, seed).cast<float>();
  return signals.transpose() * signals / 10.0F;
}

SignalMoments moments_of(const CrossbarMatrix& matrix) {
  return {moment(matrix.inputs(), 2), moment(matrix.outputs(), 3)};
}

// J from its definition and the matrix's own effective weights.
double by_definition(const CrossbarMatrix& matrix, const SignalMoments& moments) {
  const Matrix d = (matrix.forward_weight() - matrix.weight()).cast<double>();
  return (moments.outputs.cast<double>() * d * moments.inputs.cast<double>() * d.transpose())
      .trace();
}

// Rounding: sums of a few hundred products of single-precision numbers.
constexpr double rounding = 1e-4;

}  // namespace

TEST_CASE("mapping/remap/output_error: J and D are those of the matrix's own effective weights",
          "[mapping][remap]") {
  for (const Layout layout :
       {Layout::differential, Layout::interleaved, Layout::offset, Layout::reference}) {
    INFO("layout " << layout_name(layout));
    CrossbarMatrix matrix = wired(layout);
    const SignalMoments moments = moments_of(matrix);
    OutputError error(matrix, moments);
    CHECK_THAT(error.value(), xbar_test::WithinRel(by_definition(matrix, moments), rounding));
    CHECK(xbar_test::relative_error(error.difference().cast<double>(),
                                    (matrix.forward_weight() - matrix.weight()).cast<double>()) <=
          rounding);
  }
}

TEST_CASE("mapping/remap/output_error: exchanges are kept if and only if J falls, and J stays true",
          "[mapping][remap]") {
  for (const Layout layout : {Layout::differential, Layout::interleaved, Layout::offset}) {
    INFO("layout " << layout_name(layout));
    CrossbarMatrix matrix = wired(layout);
    const SignalMoments moments = moments_of(matrix);
    OutputError error(matrix, moments);
    int kept = 0;
    int refused = 0;
    for (Index step = 0; step < 40; ++step) {
      const auto before = error.order();
      const double value = error.value();
      // Pairs within tiles, across them, and with empty slots (row slots 21 to 23 of 24).
      const Index one = 7 * step % matrix.row_slot_count();
      const Index other = (11 * step + 5) % matrix.row_slot_count();
      const bool rows = step % 2 == 0;
      const bool better =
          rows ? error.try_rows(one, other)
               : error.try_columns(one % matrix.slot_count(), other % matrix.slot_count());
      (better ? kept : refused) += 1;
      REQUIRE(better == (error.value() < value));
      REQUIRE(better == !(error.order() == before));
    }
    CHECK(kept >= 3);
    CHECK(refused >= 3);
    matrix.set_order(error.order());
    CHECK_THAT(error.value(), xbar_test::WithinRel(by_definition(matrix, moments), rounding));
  }
}

TEST_CASE("mapping/remap/output_error: refuses moments of other sizes and measuring surrogates",
          "[mapping][remap]") {
  const CrossbarMatrix matrix = wired(Layout::differential);
  REQUIRE_THROWS_WITH(OutputError(matrix, {moment(20, 2), moment(11, 3)}),
                      xbar_test::Contains("input moments: expected 21 x 21, got 20 x 20"));
  REQUIRE_THROWS_WITH(OutputError(matrix, moments_of(matrix), ModelKind::sneak_ratio),
                      xbar_test::Contains("sneak-ratio"));
}

TEST_CASE("mapping/remap/optimal: one strong input and output go to the corner of least loss",
          "[mapping][remap]") {
  // All weights equal; input 2 and output 5 carry a hundred times the signal of the others, so
  // that only their error counts: output 5 belongs next to the drivers (bitline 0), input 2 next to
  // the sense amplifiers (wordline 7).
  CrossbarMatrix matrix = wired(Layout::differential, 8, 8);
  matrix.program(MatrixF::Constant(8, 8, 0.5F));
  SignalMoments moments{MatrixF::Identity(8, 8), MatrixF::Identity(8, 8)};
  moments.inputs(2, 2) = 1e4F;
  moments.outputs(5, 5) = 1e4F;
  OutputError error(matrix, moments);
  optimal_order({}, {}, xbar::RandomStream(1, "exchanges"), error);
  CHECK(error.order().slot_of_output[5] == 0);
  CHECK(error.order().slot_of_input[2] == 7);
}

TEST_CASE("mapping/remap/optimal: moves what it may, and never makes J larger",
          "[mapping][remap]") {
  CrossbarMatrix matrix = wired(Layout::differential);
  const auto as_trained = matrix.order();
  for (const bool columns : {false, true}) {
    for (const bool rows : {false, true}) {
      OutputError error(matrix, moments_of(matrix));
      const double before = error.value();
      optimal_order({.columns = columns, .rows = rows}, {}, xbar::RandomStream(1, "exchanges"),
                    error);
      CHECK((error.order().slot_of_output == as_trained.slot_of_output) == !columns);
      CHECK((error.order().slot_of_input == as_trained.slot_of_input) == !rows);
      CHECK(error.value() <= before);
      if (columns || rows) CHECK(error.value() < before);
    }
  }
}
