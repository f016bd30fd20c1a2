#include <xbar/solver/solve.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::surrogate::effective_conductance;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;
using xbar_test::WithinRel;

TEST_CASE("surrogate/operating-point: exact where it was measured", "[surrogate]") {
  const WireResistance wires{500, 100, 2.5, 2.5};
  const Matrix conductance = random_matrix(40, 33, 5e-6, 5e-5, 5);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Vector voltage =
        seed == 1 ? Vector(Vector::Ones(40)) : Vector(random_matrix(40, 1, 0.3, 1, seed).col(0));
    const Matrix effective =
        effective_conductance(ModelKind::operating_point, conductance, wires, voltage);
    const Matrix exact = xbar::solver::solve(conductance, voltage, wires).current;
    REQUIRE(relative_error(effective.transpose() * voltage, exact) <= 1e-11);
    // And it is a good deal better than the plain ladder elsewhere.
    const Matrix other = random_matrix(40, 8, 0, 1, 77);
    const Matrix truth = xbar::solver::solve(conductance, other, wires).current;
    const Matrix plain = effective_conductance(ModelKind::ladder, conductance, wires);
    REQUIRE(relative_error(effective.transpose() * other, truth) <=
            0.4 * relative_error(plain.transpose() * other, truth));
  }
}

TEST_CASE("surrogate/operating-point: undriven wordlines take the typical voltage", "[surrogate]") {
  // Both bitlines end at the sink alone, so that all that matters is k in the wordline recursion.
  const WireResistance wires{100, 50, 0, 0};
  const Matrix conductance = Matrix::Constant(2, 1, 1e-3);
  Vector voltage(2);
  voltage << 1, 0;
  const Matrix effective =
      effective_conductance(ModelKind::operating_point, conductance, wires, voltage);
  // By hand: row 1's source resistor and cell load the bitline node with 1/1100 S.
  const double g1 = 1.0 / 1100;
  const double w = g1 / (g1 + 1.0 / 50 + 1.0 / 1100);
  const double u = 1 - 100 * (1 - w) * g1;
  const double k = (u - w) / u;
  // Undriven, row 1 takes u of row 0 and the same w: the same k, and with it the same G_eff.
  const double a = 1 / (1 + 100 * 1e-3 * k);
  const double b = 1 / (1 + 50 * 2e-3);
  REQUIRE_THAT(effective(0, 0), WithinRel(a * 1e-3 * b, 1e-12));
  REQUIRE_THAT(effective(1, 0), WithinRel(a * 1e-3 * b, 1e-12));
}
