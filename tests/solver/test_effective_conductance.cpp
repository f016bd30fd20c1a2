#include <xbar/core/error.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Direction;
using xbar::Index;
using xbar::Matrix;
using xbar::Terminals;
using xbar::WireResistance;
using xbar::solver::effective_conductance;
using xbar::solver::solve;
using xbar_test::random_matrix;
using xbar_test::relative_error;

TEST_CASE("solver/effective_conductance: G_eff^T V are the solved currents", "[solver]") {
  // Shapes that straddle the block of 16 right-hand sides, and both choices of driven side.
  for (const auto& [m, n] :
       {std::pair<Index, Index>{1, 1}, {1, 9}, {9, 1}, {15, 16}, {17, 33}, {40, 7}}) {
    const Matrix conductance = random_matrix(m, n, 5e-6, 5e-5, 11);
    const Matrix voltage = random_matrix(m, 4, -1, 1, 12);
    for (const WireResistance& wires :
         {WireResistance{500, 100, 2.5, 2.5}, WireResistance{0, 0, 1, 1},
          WireResistance{0, 50, 0, 3}, WireResistance{}}) {
      CAPTURE(m, n, wires.source_ohm, wires.wordline_ohm);
      const Matrix effective = effective_conductance(conductance, wires);
      const Matrix current = solve(conductance, voltage, wires).current;
      REQUIRE(relative_error(effective.transpose() * voltage, current) <= 1e-11);
    }
  }
}

TEST_CASE("solver/effective_conductance: kept terminals make backward the transpose", "[solver]") {
  const Matrix conductance = random_matrix(19, 34, 5e-6, 5e-5, 13);
  const WireResistance wires{500, 100, 2, 3};
  const Matrix forward = effective_conductance(conductance, wires);
  const Matrix backward =
      effective_conductance(conductance, wires, Direction::backward, Terminals::keep);
  REQUIRE(relative_error(backward.transpose(), forward) <= 1e-12);
}

TEST_CASE("solver/effective_conductance: swapped terminals differ and are the swapped circuit",
          "[solver]") {
  const Matrix conductance = random_matrix(32, 32, 1e-6, 1e-5, 14);
  const WireResistance wires{500, 100, 2.5, 2.5};
  const Matrix forward = effective_conductance(conductance, wires);
  const Matrix backward =
      effective_conductance(conductance, wires, Direction::backward, Terminals::swap);
  const double difference = relative_error(backward.transpose(), forward);
  REQUIRE(difference >= 1e-4);
  REQUIRE(difference <= 0.03);
  // By reciprocity it is the transpose of the forward read with source and sink exchanged.
  const Matrix exchanged = effective_conductance(conductance, {100, 500, 2.5, 2.5});
  REQUIRE(relative_error(backward.transpose(), exchanged) <= 1e-12);
}

TEST_CASE("solver/effective_conductance: the backward read of a 1 x 2 array, by hand", "[solver]") {
  // Drive bitline 1 at its sense end with 1 V, sense wordline 0 behind the source resistor:
  // 40 (sink) + 1/2e-3 (cell) + 10 (segment to node 0) ohm, then 100 ohm (source) to ground in
  // parallel with cell 0 and bitline 0's 40 ohm, 1000 + 40.
  Matrix conductance(1, 2);
  conductance << 1e-3, 2e-3;
  const Matrix backward = effective_conductance(conductance, {100, 40, 10, 7}, Direction::backward);
  const double parallel = 1 / (1 / 100.0 + 1 / 1040.0);
  const double total = 1 / (40 + 500 + 10 + parallel);
  REQUIRE_THAT(backward(1, 0), xbar_test::WithinRel(total * parallel / 100.0, 1e-13));
  REQUIRE(backward.rows() == 2);
  REQUIRE(backward.cols() == 1);
}

TEST_CASE("solver/effective_conductance: loss of the published example arrays", "[solver]") {
  // Mean loss 1 - I/I_ideal of a 64 x 64 array, R_on 100 kohm, ratio 10, uniform cells and inputs,
  // in the reference values of the design: 20.04 % with 500/100/2.5/2.5 ohm, 2.88 % with 0/0/2/2.
  // Another random array of the same kind: windows of 0.5 and 0.1 points.
  const Matrix conductance = random_matrix(64, 64, 1e-6, 1e-5, 15);
  const auto loss = [&](const WireResistance& wires) {
    return 100 * (1 - effective_conductance(conductance, wires).sum() / conductance.sum());
  };
  REQUIRE_THAT(loss({500, 100, 2.5, 2.5}), xbar_test::WithinAbs(20.04, 0.5));
  REQUIRE_THAT(loss({0, 0, 2, 2}), xbar_test::WithinAbs(2.88, 0.1));
}
