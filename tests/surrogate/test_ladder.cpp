#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate/ladder.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::surrogate::ladder;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::WithinRel;

TEST_CASE("surrogate/ladder: one cell, by hand", "[surrogate]") {
  // a = 1/(1 + 100 * 1e-3), b = 1/(1 + 400 * 1e-3); the exact 1/1500 S is a little more.
  const Matrix effective = ladder(Matrix::Constant(1, 1, 1e-3), {100, 400, 5, 5});
  REQUIRE_THAT(effective(0, 0), WithinRel(1e-3 / 1.1 / 1.4, 1e-14));
}

TEST_CASE("surrogate/ladder: exact where only one kind of line has resistance", "[surrogate]") {
  // With the bitlines at ground the wordlines really are alone, and the other way round.
  const Matrix conductance = random_matrix(13, 21, 1e-6, 1e-3, 1);
  const Matrix voltage = random_matrix(13, 3, -1, 1, 2);
  for (const WireResistance& wires : {WireResistance{200, 0, 5, 0}, WireResistance{0, 150, 0, 7}}) {
    const Matrix current = ladder(conductance, wires).transpose() * voltage;
    const Matrix exact = xbar::solver::solve(conductance, voltage, wires).current;
    REQUIRE(relative_error(current, exact) <= 1e-12);
  }
}

TEST_CASE("surrogate/ladder: without wires it is the conductance", "[surrogate]") {
  const Matrix conductance = random_matrix(8, 9, 0, 1e-3, 3);
  REQUIRE(relative_error(ladder(conductance, {}), conductance) == 0.0);
}

TEST_CASE("surrogate/ladder: overstates the loss, by a known amount at 64 x 64", "[surrogate]") {
  // Design figures: 3.1 % at R_on 20 kohm and 0.17 % at 100 kohm (1 ohm lines, 100 ohm terminals).
  const WireResistance wires{100, 100, 1, 1};
  const Matrix voltage = Matrix::Ones(64, 1);
  for (const auto& [on_ohm, low, high] :
       {std::tuple{20e3, 0.02, 0.04}, std::tuple{100e3, 0.001, 0.0025}}) {
    const Matrix conductance = random_matrix(64, 64, 0.1 / on_ohm, 1 / on_ohm, 4);
    const Matrix current = ladder(conductance, wires).transpose() * voltage;
    const Matrix exact = xbar::solver::solve(conductance, voltage, wires).current;
    REQUIRE((exact - current).minCoeff() > 0);
    const double error = relative_error(current, exact);
    REQUIRE(error >= low);
    REQUIRE(error <= high);
  }
}

TEST_CASE("surrogate/ladder: the operating point is exact where it was measured", "[surrogate]") {
  const WireResistance wires{500, 100, 2.5, 2.5};
  const Matrix conductance = random_matrix(40, 33, 5e-6, 5e-5, 5);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Matrix voltage =
        seed == 1 ? Matrix(Matrix::Ones(40, 1)) : random_matrix(40, 1, 0.3, 1, seed);
    xbar::solver::SolveOptions options;
    options.node_voltages = true;
    const auto exact = xbar::solver::solve(conductance, voltage, wires, options);
    const auto& nodes = exact.nodes.front();
    const Matrix factor =
        xbar::surrogate::operating_point_factor(nodes.wordline, nodes.bitline, voltage.col(0));
    const Matrix effective = xbar::surrogate::operating_point_ladder(conductance, factor, wires);
    REQUIRE(relative_error(effective.transpose() * voltage, exact.current) <= 1e-11);
    // And it is a good deal better than the plain ladder elsewhere.
    const Matrix other = random_matrix(40, 8, 0, 1, 77);
    const Matrix truth = xbar::solver::solve(conductance, other, wires).current;
    const double plain = relative_error(ladder(conductance, wires).transpose() * other, truth);
    const double corrected = relative_error(effective.transpose() * other, truth);
    REQUIRE(corrected <= 0.4 * plain);
  }
}

TEST_CASE("surrogate/ladder: undriven wordlines at the operating point take the typical voltage",
          "[surrogate]") {
  // u of the driven row 0 is (0.9, 0.8), w is 0.1 everywhere; row 1 is not driven.
  Matrix wordline(2, 2);
  wordline << 0.9, 0.8, 0.05, 0.06;
  const Matrix bitline = Matrix::Constant(2, 2, 0.1);
  Vector voltage(2);
  voltage << 1, 0;
  const Matrix factor = xbar::surrogate::operating_point_factor(wordline, bitline, voltage);
  REQUIRE_THAT(factor(0, 0), WithinRel(0.8 / 0.9, 1e-14));
  REQUIRE_THAT(factor(1, 0), WithinRel(0.8 / 0.9, 1e-14));
  REQUIRE_THAT(factor(1, 1), WithinRel(0.7 / 0.8, 1e-14));
  REQUIRE_THROWS_AS(xbar::surrogate::operating_point_ladder(wordline, Matrix(1, 2), {}),
                    xbar::InvalidArgument);
}
