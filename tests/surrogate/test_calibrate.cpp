#include <xbar/solver/solve.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Matrix;
using xbar::Vector;
using xbar::surrogate::CurrentError;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::WithinRel;

TEST_CASE("surrogate/calibrate: the error of a known deviation", "[surrogate]") {
  Matrix exact(1, 2);
  exact << 2, 4;
  Matrix off(1, 2);
  off << 2.2, 4;  // 0.2 of 4 for every input
  Matrix inputs(1, 3);
  inputs << 1, -3, 0;  // the zero vector gives no current and is left out
  const CurrentError error = xbar::surrogate::current_error(off, exact, inputs);
  REQUIRE_THAT(error.mean, WithinRel(0.05, 1e-12));
  REQUIRE_THAT(error.worst, WithinRel(0.05, 1e-12));
}

TEST_CASE("surrogate/calibrate: the family is ordered by accuracy", "[surrogate]") {
  const xbar::WireResistance wires{100, 100, 1, 1};
  const Matrix conductance = random_matrix(64, 64, 5e-6, 5e-5, 1);
  const Matrix inputs = xbar::surrogate::random_sparse_inputs(64, 32, 1);
  const Matrix exact =
      xbar::surrogate::effective_conductance(ModelKind::exact, conductance, wires, {});
  double former = 1e9;
  for (const ModelKind kind : {ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point}) {
    const Matrix model =
        xbar::surrogate::effective_conductance(kind, conductance, wires, Vector::Ones(64));
    const CurrentError error = xbar::surrogate::current_error(model, exact, inputs);
    REQUIRE(error.worst >= error.mean);
    REQUIRE(error.mean < 0.25 * former);
    former = error.mean;
  }
  // 64 x 64, R_on 20 kohm, 1 ohm lines: about half a percent of the largest current.
  REQUIRE(former <= 0.008);
}

TEST_CASE("surrogate/calibrate: sparse inputs are half zeros, the rest uniform", "[surrogate]") {
  const Matrix inputs = xbar::surrogate::random_sparse_inputs(100, 100, 3);
  const auto zeros = static_cast<double>((inputs.array() == 0).count());
  REQUIRE_THAT(zeros / 1e4, xbar_test::WithinAbs(0.5, 0.02));  // 4 standard errors
  REQUIRE_THAT(inputs.sum() / (1e4 - zeros), xbar_test::WithinAbs(0.5, 0.02));
  REQUIRE(inputs.minCoeff() >= 0);
  REQUIRE(inputs.maxCoeff() < 1);
}
