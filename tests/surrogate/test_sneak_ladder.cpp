#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::WireResistance;
using xbar::surrogate::effective_conductance;
using xbar::surrogate::ModelKind;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace {

Matrix sneak_ladder(const Matrix& conductance, const WireResistance& wires) {
  return effective_conductance(ModelKind::sneak_ladder, conductance, wires);
}

Matrix exact(const Matrix& conductance, const WireResistance& wires) {
  return effective_conductance(ModelKind::exact, conductance, wires);
}

}  // namespace

TEST_CASE("surrogate/sneak-ladder: row and column sums are exact", "[surrogate]") {
  for (const auto& [m, n] : {std::pair{1, 1}, {1, 9}, {9, 1}, {2, 3}, {40, 33}, {64, 64}}) {
    for (const WireResistance& wires :
         {WireResistance{500, 100, 2.5, 2.5}, WireResistance{0, 100, 2.5, 7},
          WireResistance{500, 0, 2.5, 1}, WireResistance{0, 0, 1, 1}, WireResistance{50, 60, 0, 0},
          WireResistance{1000, 1000, 5, 10}}) {
      const Matrix conductance = random_matrix(m, n, 1e-7, 1e-3, static_cast<std::uint64_t>(m * n));
      const Matrix found = sneak_ladder(conductance, wires);
      const Matrix truth = exact(conductance, wires);
      CAPTURE(m, n, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm);
      REQUIRE(relative_error(found.rowwise().sum(), truth.rowwise().sum()) <= 1e-11);
      REQUIRE(relative_error(found.colwise().sum(), truth.colwise().sum()) <= 1e-11);
    }
  }
}

TEST_CASE("surrogate/sneak-ladder: exact where there is but one line", "[surrogate]") {
  // One wordline, or one bitline: the rank-one part is all there is.
  const WireResistance wires{200, 300, 5, 7};
  for (const auto& [m, n] : {std::pair{1, 20}, {20, 1}, {1, 1}}) {
    const Matrix conductance = random_matrix(m, n, 1e-5, 1e-3, 3);
    REQUIRE(relative_error(sneak_ladder(conductance, wires), exact(conductance, wires)) <= 1e-12);
  }
}

TEST_CASE("surrogate/sneak-ladder: nothing to add without cells, wires or sneak paths",
          "[surrogate]") {
  const Matrix conductance = random_matrix(8, 9, 0, 1e-3, 4);
  REQUIRE(sneak_ladder(conductance, {}) == conductance);
  REQUIRE(sneak_ladder(Matrix::Zero(8, 9), {100, 100, 1, 1}) == Matrix::Zero(8, 9));
  // Bitlines at ground throughout: the ladder is exact.
  const WireResistance grounded{200, 0, 5, 0};
  REQUIRE(relative_error(sneak_ladder(conductance, grounded), exact(conductance, grounded)) <=
          1e-12);
}

TEST_CASE("surrogate/sneak-ladder: the transposed read is the transpose", "[surrogate]") {
  const WireResistance wires{500, 100, 2.5, 4};
  const Matrix conductance = random_matrix(30, 21, 1e-6, 1e-4, 5);
  const Matrix turned = conductance.reverse().transpose();
  const Matrix backward = sneak_ladder(turned, {100, 500, 4, 2.5}).reverse().transpose();
  REQUIRE(relative_error(backward, sneak_ladder(conductance, wires)) <= 1e-11);
}

TEST_CASE("surrogate/sneak-ladder: a hundredth of the ladder's error, and less", "[surrogate]") {
  struct Case {
    double on_ohm;
    WireResistance wires;
    Index size;
    double most;  // error of output currents, random sparse inputs
  };
  for (const Case& point :
       {Case{20e3, {100, 100, 1, 1}, 64, 5e-5}, Case{100e3, {100, 100, 1, 1}, 64, 3e-6},
        Case{20e3, {500, 100, 2.5, 2.5}, 64, 2e-4}, Case{20e3, {100, 100, 1, 1}, 128, 1.2e-4},
        Case{5e3, {0, 0, 2, 2}, 64, 2e-4}}) {
    const Matrix conductance =
        random_matrix(point.size, point.size, 0.1 / point.on_ohm, 1 / point.on_ohm, 6);
    const Matrix inputs = xbar::surrogate::random_sparse_inputs(point.size, 64, 7);
    const Matrix truth = exact(conductance, point.wires);
    const auto error = [&](ModelKind kind) {
      return xbar::surrogate::current_error(effective_conductance(kind, conductance, point.wires),
                                            truth, inputs)
          .relative;
    };
    CAPTURE(point.on_ohm, point.size);
    CHECK(error(ModelKind::sneak_ladder) <= point.most);
    CHECK(error(ModelKind::sneak_ladder) <= 0.01 * error(ModelKind::ladder));
    CHECK(error(ModelKind::sneak_ladder) <= 0.05 * error(ModelKind::operating_point));
  }
}
