#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::surrogate::effective_conductance;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::WithinRel;

namespace {

Matrix ladder(const Matrix& conductance, const WireResistance& wires) {
  return effective_conductance(ModelKind::ladder, conductance, wires);
}

}  // namespace

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
