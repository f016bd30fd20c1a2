#include <cmath>

#include <xbar/core/error.hpp>
#include <xbar/solver/solve.hpp>
#include <xbar/surrogate/write_path.hpp>
#include <xbar/surrogate_calibrate/exact_write_path.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar::surrogate::exact_stochastic_write_path;
using xbar::surrogate::exact_write_path;
using xbar::surrogate::stochastic_write_path;
using xbar::surrogate::write_path;
using xbar::surrogate::WritePath;
using xbar::surrogate::WriteScheme;
using xbar_test::random_matrix;
using xbar_test::WithinRel;

namespace {

double worst(const Matrix& a, const Matrix& b) { return (a - b).cwiseAbs().maxCoeff(); }

/// u - w of all cells.
Matrix voltage(const Matrix& conductance, const WireResistance& wires, const Matrix& rows,
               const Matrix& columns) {
  const auto result = xbar::solver::solve(xbar::solver::make_circuit(conductance, wires),
                                          {rows, columns}, {.node_voltages = true});
  return result.nodes.front().wordline - result.nodes.front().bitline;
}

Vector rates(Index count, double low, double high, std::uint64_t seed) {
  return random_matrix(count, 1, low, high, seed).col(0);
}

}  // namespace

TEST_CASE("surrogate/write-path: ideal wires leave all of the pulse", "[surrogate][write-path]") {
  const Matrix g = random_matrix(5, 3, 1e-6, 1e-4, 1);
  const Matrix one = Matrix::Ones(5, 3);
  for (const auto& [scheme, share] : {std::pair{WriteScheme::half, 1.0 / 2},
                                      {WriteScheme::third, 1.0 / 3},
                                      {WriteScheme::one_transistor, 0.0}}) {
    const WritePath path = write_path(g, {}, scheme);
    CHECK(worst(path.selected, one) <= 1e-14);
    CHECK(worst(path.half_selected, share * one) <= 1e-14);
  }
  const WritePath train =
      stochastic_write_path(g, {}, rates(5, 0.1, 0.9, 2), rates(3, 0.1, 0.9, 3));
  CHECK(worst(train.selected, one) <= 1e-14);
  CHECK(worst(train.half_selected, one / 2) <= 1e-14);
}

TEST_CASE("surrogate/write-path: one cell by hand", "[surrogate][write-path]") {
  // 1 mS between 200 and 300 ohm: 1000 of 1500 ohm. No other line, so nothing is half selected.
  const Matrix g = Matrix::Constant(1, 1, 1e-3);
  for (const WriteScheme scheme :
       {WriteScheme::half, WriteScheme::third, WriteScheme::one_transistor}) {
    const WritePath path = write_path(g, {200, 300, 5, 7}, scheme);
    CHECK_THAT(path.selected(0, 0), WithinRel(2.0 / 3, 1e-12));
    CHECK(path.half_selected(0, 0) == 0);
  }
  // Half of the pulse from either side.
  const WritePath train = stochastic_write_path(g, {200, 300, 5, 7}, Vector::Constant(1, 0.3),
                                                Vector::Constant(1, 0.6));
  CHECK_THAT(train.selected(0, 0), WithinRel(2.0 / 3, 1e-12));
  CHECK_THAT(train.half_selected(0, 0), WithinRel(1.0 / 3, 1e-12));
}

TEST_CASE("surrogate/write-path: exact where the ladder is", "[surrogate][write-path]") {
  const Matrix g = random_matrix(24, 17, 2e-6, 2e-4, 4);
  const auto error = [&](const WireResistance& wires, WriteScheme scheme) {
    const WritePath path = write_path(g, wires, scheme);
    const WritePath exact = exact_write_path(g, wires, scheme);
    return std::max(worst(path.selected, exact.selected),
                    worst(path.half_selected, exact.half_selected));
  };
  // Cells of a wordline alone, with transistors: no way around. And where one kind of line is
  // ideal. To rounding of a solution in double precision.
  CHECK(error({300, 100, 5, 8}, WriteScheme::one_transistor) <= 1e-10);
  CHECK(error({300, 0, 5, 0}, WriteScheme::half) <= 1e-10);
  CHECK(error({0, 100, 0, 8}, WriteScheme::third) <= 1e-10);
  const Vector p = rates(24, 0, 0.9, 5);
  const Vector q = rates(17, 0, 0.9, 6);
  for (const WireResistance& wires : {WireResistance{300, 0, 5, 0}, {0, 100, 0, 8}}) {
    const WritePath path = stochastic_write_path(g, wires, p, q);
    const WritePath exact = exact_stochastic_write_path(g, wires, p, q);
    CHECK(worst(path.selected, exact.selected) <= 1e-10);
    CHECK(worst(path.half_selected, exact.half_selected) <= 1e-10);
  }
}

TEST_CASE("surrogate/write-path: close to the wired array where little of the pulse is left",
          "[surrogate][write-path]") {
  // R_on 5 kohm, ratio 10, 100 ohm terminals; measured over the grid of docs/theory.md: at most
  // 0.0019 of V, while the far corner is left with less than half of the pulse.
  for (const Index size : {32, 64}) {
    const Matrix g = random_matrix(size, size, 2e-5, 2e-4, 7);
    const WireResistance wires{100, 100, 10, 10};
    for (const WriteScheme scheme : {WriteScheme::half, WriteScheme::third}) {
      const WritePath path = write_path(g, wires, scheme);
      const WritePath exact = exact_write_path(g, wires, scheme);
      CHECK(worst(path.selected, exact.selected) <= 0.003);
      CHECK(worst(path.half_selected, exact.half_selected) <= 0.003);
      CHECK(exact.selected.minCoeff() < 0.5);
    }
    const Vector p = rates(size, 0, 0.4, 8);
    const Vector q = rates(size, 0, 0.4, 9);
    const WritePath path = stochastic_write_path(g, wires, p, q);
    const WritePath exact = exact_stochastic_write_path(g, wires, p, q);
    CHECK(worst(path.selected, exact.selected) <= 0.003);
    CHECK(worst(path.half_selected, exact.half_selected) <= 0.003);
  }
}

TEST_CASE("surrogate/write-path: the exact one is the wired array under every drive",
          "[surrogate][write-path]") {
  // All that two wordlines and two bitlines can do, with its chance.
  Matrix g(2, 2);
  g << 1e-4, 3e-4, 2e-4, 5e-5;
  const WireResistance wires{200, 150, 30, 40};
  Vector p(2);
  p << 0.3, 0.8;
  Vector q(2);
  q << 0.5, 0.1;
  Matrix both = Matrix::Zero(2, 2);
  Matrix both_chance = Matrix::Zero(2, 2);
  Matrix one = Matrix::Zero(2, 2);
  Matrix one_chance = Matrix::Zero(2, 2);
  for (unsigned state = 0; state < 16; ++state) {
    Matrix rows(2, 1);
    Matrix columns(2, 1);
    double chance = 1;
    for (Index k = 0; k < 2; ++k) {
      const bool row = (state >> k & 1U) != 0;
      const bool column = (state >> (k + 2) & 1U) != 0;
      rows(k) = row ? 0.5 : 0;
      columns(k) = column ? -0.5 : 0;
      chance *= (row ? p(k) : 1 - p(k)) * (column ? q(k) : 1 - q(k));
    }
    const Matrix v = voltage(g, wires, rows, columns);
    for (Index i = 0; i < 2; ++i) {
      for (Index j = 0; j < 2; ++j) {
        const bool row = rows(i) > 0;
        const bool column = columns(j) < 0;
        if (row && column) {
          both(i, j) += chance * v(i, j);
          both_chance(i, j) += chance;
        } else if (row || column) {
          one(i, j) += chance * v(i, j);
          one_chance(i, j) += chance;
        }
      }
    }
  }
  const WritePath train = exact_stochastic_write_path(g, wires, p, q);
  CHECK(worst(train.selected, both.cwiseQuotient(both_chance)) <= 1e-10);
  CHECK(worst(train.half_selected, one.cwiseQuotient(one_chance)) <= 1e-10);
  // Wordline 0 being written: at 1, the other one at 1/3.
  Matrix rows(2, 1);
  rows << 1, 1.0 / 3;
  const Matrix v = voltage(g, wires, rows, Matrix::Zero(2, 1));
  const WritePath third = exact_write_path(g, wires, WriteScheme::third);
  CHECK(worst(third.selected.row(0), v.row(0)) <= 1e-10);
  CHECK(worst(third.half_selected.row(1), v.row(1)) <= 1e-10);
}

TEST_CASE("surrogate/write-path: refusals name the entry", "[surrogate][write-path]") {
  using xbar::InvalidArgument;
  const Matrix g = Matrix::Constant(2, 3, 1e-5);
  Matrix bad = g;
  bad(1, 2) = -1;
  CHECK_THROWS_WITH(write_path(bad, {}, WriteScheme::half),
                    "conductance(1, 2): expected a finite number of siemens >= 0, got -1");
  CHECK_THROWS_WITH(write_path(Matrix(0, 3), {}, WriteScheme::half),
                    "conductance: expected at least one cell, got 0 x 3");
  CHECK_THROWS_AS(write_path(g, {-1, 0, 0, 0}, WriteScheme::half), InvalidArgument);
  CHECK_THROWS_WITH(stochastic_write_path(g, {}, Vector::Ones(3), Vector::Ones(3)),
                    "row_rate: expected 2 rates, got 3");
  CHECK_THROWS_WITH(stochastic_write_path(g, {}, Vector::Ones(2), Vector::Constant(3, 1.5)),
                    "column_rate(0): expected a rate from 0 to 1, got 1.5");
  for (const WriteScheme scheme :
       {WriteScheme::half, WriteScheme::third, WriteScheme::one_transistor}) {
    CHECK(xbar::surrogate::parse_write_scheme(write_scheme_name(scheme)) == scheme);
  }
  CHECK_THROWS_WITH(xbar::surrogate::parse_write_scheme("v4"),
                    "write-scheme: expected v2, v3 or 1t1r, got 'v4'");
}
