#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/device/cell_models.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/newton.hpp>
#include <xbar/surrogate/polynomial.hpp>
#include <xbar/surrogate_calibrate/polynomial_fit.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::InvalidArgument;
using xbar::Matrix;
using xbar::WireResistance;
using xbar::surrogate::fit_polynomial;
using xbar::surrogate::PolynomialFit;
using xbar::surrogate::PolynomialSurrogate;
using xbar::surrogate::random_sparse_inputs;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

const WireResistance wires{100, 100, 1, 1};

std::unique_ptr<xbar::device::CellModel> sinh_cells(double alpha) {
  xbar::device::CellSettings settings;
  settings.parameters["sinh_alpha"] = alpha;
  return xbar::device::make_cell_model("sinh", settings);
}

}  // namespace

TEST_CASE("surrogate/polynomial: the equation, by hand", "[surrogate]") {
  PolynomialSurrogate<double> surrogate{Matrix(2, 2), Matrix(2, 2), xbar::Vector(2),
                                        xbar::Vector(2)};
  surrogate.linear << 1, 2, 3, 4;
  surrogate.cubic << 1, 5, 0, 1;
  surrogate.own << 0.5, 0;
  surrogate.mean << 0, 2;
  Matrix voltage(2, 2);
  voltage << 1, -1, 2, 0;
  // V = (1, 2): linear 7, 10; S = 5, Q = 3; cubes 1, 8. V = (-1, 0): -1, -2; S = 1, Q = -1.
  Matrix expected(2, 2);
  expected << 3.5 * 7 + 1, -1.5 - 1,  //
      10 + (5 + 8) + 2 * 15, -2 - 5 - 2;
  REQUIRE(relative_error(surrogate.current(voltage), expected) <= 1e-15);
  REQUIRE(relative_error(
              xbar::surrogate::to_float(surrogate).current(voltage.cast<float>()).cast<double>(),
              expected) <= 1e-6);
}

TEST_CASE("surrogate/polynomial: float agrees with double over many inputs", "[surrogate]") {
  const PolynomialSurrogate<double> surrogate{
      random_matrix(30, 17, 1e-6, 1e-5, 1), random_matrix(30, 17, 1e-7, 1e-6, 2),
      random_matrix(17, 1, -0.01, 0.01, 3).col(0), random_matrix(17, 1, -1e-8, 1e-8, 4).col(0)};
  const Matrix voltage = random_matrix(30, 200, -0.5, 0.5, 5);
  // Sums of 30 products: a few roundings of 6e-8.
  REQUIRE(relative_error(
              xbar::surrogate::to_float(surrogate).current(voltage.cast<float>()).cast<double>(),
              surrogate.current(voltage)) <= 2e-6);
  // One vector at a time gives the same as all together.
  REQUIRE(relative_error(surrogate.current(voltage.col(150)),
                         surrogate.current(voltage).col(150)) <= 1e-14);
}

TEST_CASE("surrogate/polynomial: linear cells have no cube", "[surrogate]") {
  const Matrix conductance = random_matrix(9, 7, 5e-6, 5e-5, 6);
  const auto cells = xbar::device::make_cell_model("linear");
  const PolynomialFit fit = fit_polynomial(
      conductance, *cells, wires, random_sparse_inputs(9, 20, 1), random_sparse_inputs(9, 20, 2));
  REQUIRE(fit.surrogate.linear == xbar::solver::effective_conductance(conductance, wires));
  REQUIRE(fit.surrogate.cubic.isZero(0));
  REQUIRE(fit.surrogate.own.isZero(0));
  REQUIRE(fit.surrogate.mean.isZero(0));
  REQUIRE(fit.cell_error == 0);
  REQUIRE(fit.error.worst <= 1e-10);  // Newton's tolerance
}

TEST_CASE("surrogate/polynomial: one cell behind its terminals, third order", "[surrogate]") {
  // g (v + a^2 v^3 / 6) in series with R: I = g'V + g a^2/6 / (1 + g R)^4 V^3 + ..., the fourth
  // power because the cell has V / (1 + g R), and its extra current drives the others' conductance.
  const double g = 1e-3;
  const double a = 0.5;
  const WireResistance ends{300, 200, 0, 0};
  const Matrix inputs = random_matrix(1, 20, -0.1, 0.1, 7);
  const PolynomialFit fit =
      fit_polynomial(Matrix::Constant(1, 1, g), *sinh_cells(a), ends, inputs, inputs);
  const PolynomialSurrogate<double>& found = fit.surrogate;
  REQUIRE_THAT(found.linear(0, 0), xbar_test::WithinRel(g / 1.5, 1e-12));
  // With a single input all three corrections are multiples of V^3. Next order: (a V)^2 = 2.5e-3.
  REQUIRE_THAT(found.cubic(0, 0) + found.own(0) * found.linear(0, 0) + found.mean(0),
               xbar_test::WithinRel(g * a * a / 6 / std::pow(1.5, 4), 3e-3));
}

TEST_CASE("surrogate/polynomial: cells weighed by their voltage and their way to the sink",
          "[surrogate]") {
  // Sources alone: each cell by itself behind R, as above, its share of the bitline's cube
  // 1/(1 + g R)^4, from 0.06 to 0.48.
  const double source_ohm = 20e3;
  const double a = 0.3;
  const Matrix conductance = random_matrix(12, 1, 1e-5, 5e-5, 21);
  const PolynomialFit fit =
      fit_polynomial(conductance, *sinh_cells(a), {source_ohm, 0, 0, 0},
                     random_sparse_inputs(12, 200, 22), random_sparse_inputs(12, 20, 23));
  const Eigen::ArrayXd g = conductance.col(0);
  const Matrix expected = (a * a / 6 * g / (1 + g * source_ohm).pow(4)).matrix();
  REQUIRE(relative_error(fit.surrogate.cubic, expected) <= 3e-2);  // fifth order, in the gain
}

TEST_CASE("surrogate/polynomial: without wires the cube is the cells' own", "[surrogate]") {
  const Matrix conductance = random_matrix(8, 6, 5e-6, 5e-5, 8);
  const double a = 0.5;
  const PolynomialFit fit =
      fit_polynomial(conductance, *sinh_cells(a), {}, random_sparse_inputs(8, 40, 3),
                     random_sparse_inputs(8, 40, 4));
  // Fifth order: (a V)^2 / 20 of the cube's, at most 1.3 %.
  REQUIRE(relative_error(fit.surrogate.linear, conductance) <= 1e-14);
  REQUIRE(relative_error(fit.surrogate.cubic, a * a / 6 * conductance) <= 1.3e-2);
  REQUIRE(fit.error.worst <= 5e-4);  // (a V)^4 / 120
}

TEST_CASE("surrogate/polynomial: held-out error at 64 x 64", "[surrogate]") {
  const double volt = 0.5;
  const auto cells = sinh_cells(1.07 / volt);  // 21 % more than ohmic at 0.5 V
  const Matrix inputs = volt * random_sparse_inputs(64, 64, 9);
  const Matrix held_out = volt * random_sparse_inputs(64, 128, 10);
  struct Case {
    double on_ohm;
    double worst;
    double linear_worst;
  };
  for (const Case& expected : {Case{20e3, 1.4e-3, 6.1e-2}, Case{100e3, 6e-4, 9.8e-2}}) {
    const Matrix conductance = random_matrix(64, 64, 0.1 / expected.on_ohm, 1 / expected.on_ohm, 5);
    const PolynomialFit fit = fit_polynomial(conductance, *cells, wires, inputs, held_out);
    CAPTURE(expected.on_ohm);
    REQUIRE_THAT(fit.error.worst / expected.worst, xbar_test::WithinAbs(1, 0.3));
    REQUIRE_THAT(fit.linear_error.worst / expected.linear_worst, xbar_test::WithinAbs(1, 0.1));
    REQUIRE(fit.error.mean <= fit.linear_error.mean / 50);
    // What is reported is what it does.
    const Matrix exact = xbar::solver::solve_newton(xbar::solver::make_circuit(conductance, wires),
                                                    *cells, {held_out, {}})
                             .current;
    double worst = 0;
    const Matrix deviation = fit.surrogate.current(held_out) - exact;
    for (Index k = 0; k < exact.cols(); ++k) {
      worst = std::max(worst,
                       deviation.col(k).cwiseAbs().maxCoeff() / exact.col(k).cwiseAbs().maxCoeff());
    }
    REQUIRE_THAT(fit.error.worst, xbar_test::WithinRel(worst, 1e-9));
    // At a fifth of the voltage the exact slope shows.
    const Matrix small = 0.2 * held_out;
    const Matrix small_exact =
        xbar::solver::solve_newton(xbar::solver::make_circuit(conductance, wires), *cells,
                                   {small, {}})
            .current;
    REQUIRE(xbar::surrogate::current_error(fit.surrogate.current(small), small_exact).worst <=
            1.5e-4);
  }
}

TEST_CASE("surrogate/polynomial: access devices", "[surrogate]") {
  const Matrix conductance = random_matrix(24, 24, 5e-6, 5e-5, 12);
  const Matrix inputs = random_sparse_inputs(24, 40, 13);
  const Matrix held_out = random_sparse_inputs(24, 40, 14);
  xbar::device::CellSettings settings;
  settings.parameters = {{"access_ohm", 5000}, {"sinh_alpha", 2.14}};
  const auto series = xbar::device::make_cell_model("series-resistance", settings);
  const PolynomialFit fit =
      fit_polynomial(conductance, *series, wires, 0.5 * inputs, 0.5 * held_out);
  REQUIRE(fit.error.worst <= 2e-3);
  REQUIRE(fit.error.worst <= fit.linear_error.worst / 20);
  // A selector is a cubic only well below its voltage.
  const auto selector = xbar::device::make_cell_model("selector");
  REQUIRE(fit_polynomial(conductance, *selector, wires, 0.1 * inputs, 0.1 * held_out).error.worst <=
          2e-2);
  REQUIRE_THROWS_WITH(
      fit_polynomial(conductance, *selector, wires, 0.5 * inputs, 0.5 * held_out),
      xbar_test::Contains("cells: expected currents that a slope at 0 and a cube") &&
          xbar_test::Contains("in cell ("));
}

TEST_CASE("surrogate/polynomial: open cells stay open", "[surrogate]") {
  Matrix conductance = random_matrix(6, 5, 5e-6, 5e-5, 15);
  conductance.row(2).setZero();
  conductance.col(4).setZero();
  const PolynomialFit fit =
      fit_polynomial(conductance, *sinh_cells(2), wires, 0.5 * random_sparse_inputs(6, 30, 16),
                     0.5 * random_sparse_inputs(6, 30, 17));
  REQUIRE(fit.surrogate.current(0.5 * random_sparse_inputs(6, 3, 18)).row(4).isZero(0));
  REQUIRE(fit.error.worst <= 8e-3);  // fifth order at a V = 1: 1/120
}

TEST_CASE("surrogate/polynomial: bad input", "[surrogate]") {
  const Matrix conductance = random_matrix(6, 5, 5e-6, 5e-5, 15);
  const auto cells = sinh_cells(2);
  const Matrix inputs = random_sparse_inputs(6, 12, 19);
  REQUIRE_THROWS_WITH(fit_polynomial(conductance, *cells, wires, inputs.leftCols(11), inputs),
                      "fit_inputs: expected 6 rows and at least 12 columns, got 6 x 11");
  REQUIRE_THROWS_WITH(fit_polynomial(conductance, *cells, wires, inputs, inputs.topRows(5)),
                      "held_out: expected 6 rows and at least 1 columns, got 5 x 12");
  REQUIRE_THROWS_WITH(fit_polynomial(conductance, *cells, wires, Matrix::Zero(6, 12), inputs),
                      "fit_inputs: expected a voltage that is not 0, got only zeros");
  Matrix broken = inputs;
  broken(1, 1) = std::numeric_limits<double>::quiet_NaN();
  REQUIRE_THROWS_AS(fit_polynomial(conductance, *cells, wires, broken, inputs), InvalidArgument);
  REQUIRE_THROWS_AS(fit_polynomial(-conductance, *cells, wires, inputs, inputs), InvalidArgument);
  REQUIRE_THROWS_AS(fit_polynomial(conductance, *cells, {-1, 0, 0, 0}, inputs, inputs),
                    InvalidArgument);
  // A current that depends on the sign of the voltage is no odd cube.
  xbar::device::CellSettings settings;
  settings.table.resize(5, 2);
  settings.table << -1, -0.5, -0.5, -0.25, 0, 0, 0.5, 0.5, 1, 1;
  const auto rectifier = xbar::device::make_cell_model("table", settings);
  REQUIRE_THROWS_WITH(fit_polynomial(conductance, *rectifier, wires, inputs, inputs),
                      xbar_test::Contains("cells: expected currents that a slope at 0 and a cube"));

  const PolynomialSurrogate<double> surrogate =
      fit_polynomial(conductance, *cells, wires, 0.5 * inputs, 0.5 * inputs).surrogate;
  REQUIRE_THROWS_WITH(surrogate.current(Matrix::Zero(5, 2)),
                      "voltage: expected 6 rows, one a wordline, got 5");
  PolynomialSurrogate<double> torn = surrogate;
  torn.own.resize(3);
  REQUIRE_THROWS_AS(torn.current(inputs), InvalidArgument);
}
