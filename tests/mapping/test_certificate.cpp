#include <xbar/core/error.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::MatrixF;
using xbar::mapping::CertificateOptions;
using xbar::mapping::CrossbarMatrix;
using xbar::mapping::CrossbarOptions;
using xbar::mapping::next_choice;
using xbar::mapping::SurrogateChoice;
using xbar::surrogate::ModelKind;
using xbar_test::Contains;
using xbar_test::random_matrix;

namespace {

// One 64 x 64 tile a polarity, R_on 20 kohm, 500/100/2.5 ohm: the ladder is 1 to 10 % off.
CrossbarOptions checked(ModelKind model, double tolerance) {
  CrossbarOptions options;
  options.model = model;
  options.exact = xbar::surrogate::exact_solver();
  options.refresh = 8;
  options.certificate.every = 1;
  options.certificate.tiles = 1;
  options.certificate.tolerance = tolerance;
  return options;
}

MatrixF random_weight(std::uint64_t seed, double size = 1) {
  return random_matrix(64, 64, -size, size, seed).cast<float>();
}

}  // namespace

TEST_CASE("mapping/certificate: what a broken or amply kept tolerance leads to", "[mapping]") {
  const CertificateOptions options{.tolerance = 1e-3, .longest_refresh = 64};
  const SurrogateChoice now{ModelKind::ladder, 20};
  // Aged too far, fresh good: measured more often. Fresh bad: the next member.
  CHECK(next_choice(now, 2e-3, 1e-4, true, options) == SurrogateChoice{ModelKind::ladder, 10});
  CHECK(next_choice(now, 2e-3, 6e-4, true, options) ==
        SurrogateChoice{ModelKind::sneak_ladder, 20});
  CHECK(next_choice({ModelKind::exact, 1}, 2e-3, 0, true, options) ==
        SurrogateChoice{ModelKind::exact, 1});
  // Kept: as before; amply, at the end of a full interval: twice the interval, up to the longest.
  CHECK(next_choice(now, 5e-4, 1e-5, true, options) == now);
  CHECK(next_choice(now, 1e-4, 1e-5, true, options) == SurrogateChoice{ModelKind::ladder, 40});
  CHECK(next_choice(now, 1e-4, 1e-5, false, options) == now);
  CHECK(next_choice({ModelKind::ladder, 40}, 1e-4, 1e-5, true, options) ==
        SurrogateChoice{ModelKind::ladder, 64});
  // Not a number is broken, too.
  CHECK(next_choice(now, std::nan(""), std::nan(""), true, options) ==
        SurrogateChoice{ModelKind::sneak_ladder, 20});
}

TEST_CASE("mapping/certificate: begins with the cheapest member within the tolerance",
          "[mapping]") {
  const MatrixF weight = random_weight(1);
  for (const auto& [tolerance, expected] : {std::pair{2.0, ModelKind::ideal},
                                            {0.1, ModelKind::closed_form},
                                            {2e-3, ModelKind::sneak_ladder},
                                            {1e-7, ModelKind::exact}}) {
    CrossbarMatrix matrix(64, 64, 1.0F, checked(ModelKind::ideal, tolerance));
    matrix.program(weight);
    CAPTURE(tolerance);
    CHECK(matrix.choice().model == expected);
    CHECK(matrix.certificate().worst_fresh <= 0.5 * tolerance);
    CHECK(matrix.certificate().changes.empty() == (expected == ModelKind::ideal));
  }
}

TEST_CASE("mapping/certificate: the error in use is that of the weights before the refresh",
          "[mapping]") {
  CrossbarMatrix matrix(64, 64, 1.0F, checked(ModelKind::exact, 0));
  matrix.program(random_weight(2, 0.5));
  REQUIRE(matrix.certificate().checks == 0);
  // Seven updates in one direction: the ratios age; the eighth measures, and sees by how much.
  for (int k = 0; k < 8; ++k) matrix.update(MatrixF::Constant(64, 64, 0.02F));
  REQUIRE(matrix.certificate().checks == 1);
  CHECK(matrix.certificate().worst_error > 1e-3);
  CHECK(matrix.certificate().worst_error < 0.2);
  CHECK(matrix.certificate().worst_error == matrix.certificate().mean_error());
  CHECK(matrix.certificate().worst_fresh <= 1e-6);  // single precision
  CHECK(matrix.certificate().seconds > 0);
  // By hand: the matrix in use just before was that of the first measurement, cell by cell.
  CrossbarMatrix again(64, 64, 1.0F, checked(ModelKind::exact, 0));
  again.program(random_weight(2, 0.5));
  Matrix before[2];
  for (const Index plane : {0, 1}) {
    const Matrix g = again.tile_conductance(plane, 0);
    before[plane] =
        xbar::surrogate::effective_conductance(ModelKind::exact, g, again.technology().wires)
            .cwiseQuotient(g);
  }
  double closest = 1;
  const Matrix inputs = xbar::surrogate::random_sparse_inputs(64, 16, 1);
  for (const Index plane : {0, 1}) {
    const Matrix g = matrix.tile_conductance(plane, 0);
    const Matrix exact =
        xbar::surrogate::effective_conductance(ModelKind::exact, g, matrix.technology().wires);
    const double error =
        xbar::surrogate::current_error(g.cwiseProduct(before[plane]), exact, inputs).relative;
    closest = std::min(closest, std::abs(error / matrix.certificate().worst_error - 1));
  }
  CHECK(closest <= 1e-4);
}

TEST_CASE("mapping/certificate: mean and broken count arrays, not checks", "[mapping]") {
  CrossbarOptions options = checked(ModelKind::exact, 0);
  options.certificate.tiles = 2;
  CrossbarMatrix matrix(64, 64, 1.0F, options);
  matrix.program(random_weight(2, 0.5));
  matrix.update(MatrixF::Constant(64, 64, 0.02F));
  matrix.refresh();
  const xbar::mapping::Certificate& seen = matrix.certificate();
  REQUIRE(seen.checks == 2);
  // Two errors that are not alike: their mean lies between the larger one and half of it.
  CHECK(seen.mean_error() < seen.worst_error);
  CHECK(seen.mean_error() > 0.5 * seen.worst_error);
  // A tolerance between the two is broken once.
  options.certificate.tolerance = seen.mean_error();
  CrossbarMatrix bound(64, 64, 1.0F, options);
  bound.program(random_weight(2, 0.5));
  bound.update(MatrixF::Constant(64, 64, 0.02F));
  bound.refresh();
  CHECK(bound.certificate().broken == 1);
}

TEST_CASE("mapping/certificate: a broken tolerance shortens the interval, a kept one lengthens it",
          "[mapping]") {
  CrossbarMatrix matrix(64, 64, 1.0F, checked(ModelKind::ladder, 2e-3));
  matrix.program(random_weight(3, 0.3));
  REQUIRE(matrix.choice() == SurrogateChoice{ModelKind::sneak_ladder, 8});
  for (int k = 0; k < 40; ++k) matrix.update(MatrixF::Constant(64, 64, 0.01F));
  CHECK(matrix.choice().refresh < 8);
  CHECK(matrix.certificate().broken >= 1);
  const int shortest = matrix.choice().refresh;
  // Nothing moves any more: measured ever less often.
  for (int k = 0; k < 200; ++k) matrix.update(MatrixF::Zero(64, 64));
  CHECK(matrix.choice().refresh >= 8 * shortest);
  CHECK(matrix.choice().model == ModelKind::sneak_ladder);
}

TEST_CASE(
    "mapping/certificate: without a tolerance nothing changes, without a solver nothing is "
    "measured",
    "[mapping]") {
  CrossbarMatrix matrix(64, 64, 1.0F, checked(ModelKind::ladder, 0));
  CrossbarOptions blind = checked(ModelKind::ladder, 0);
  blind.exact = {};
  CrossbarMatrix unmeasured(64, 64, 1.0F, blind);
  for (CrossbarMatrix* m : {&matrix, &unmeasured}) {
    m->program(random_weight(4, 0.3));
    for (int k = 0; k < 16; ++k) m->update(MatrixF::Constant(64, 64, 0.01F));
    CHECK(m->choice() == SurrogateChoice{ModelKind::ladder, 8});
    CHECK(m->certificate().changes.empty());
  }
  CHECK(matrix.certificate().checks == 2);
  CHECK(unmeasured.certificate().checks == 0);
  CHECK(matrix.forward_weight() == unmeasured.forward_weight());
}

TEST_CASE("mapping/certificate: choices go on where they were after a restore", "[mapping]") {
  CrossbarMatrix matrix(64, 64, 1.0F, checked(ModelKind::ladder, 2e-3));
  matrix.program(random_weight(5, 0.3));
  for (int k = 0; k < 40; ++k) matrix.update(MatrixF::Constant(64, 64, 0.01F));
  matrix.refresh();
  CrossbarMatrix other(64, 64, 1.0F, checked(ModelKind::ladder, 2e-3));
  other.restore(matrix.state());
  for (CrossbarMatrix* m : {&matrix, &other}) {
    for (int k = 0; k < 40; ++k) m->update(MatrixF::Constant(64, 64, -0.01F));
  }
  CHECK(other.choice() == matrix.choice());
  CHECK(other.certificate().worst_error == matrix.certificate().worst_error);
  CHECK(other.certificate().checks == matrix.certificate().checks);
  CHECK(other.forward_weight() == matrix.forward_weight());
}

TEST_CASE("mapping/certificate: options out of range are named", "[mapping]") {
  const auto refused = [](const CertificateOptions& options, const char* text) {
    CHECK_THROWS_WITH(xbar::mapping::check_certificate_options(options), Contains(text));
  };
  refused({.every = -1}, "every: expected at least 0");
  refused({.tiles = 0}, "tiles: expected at least 1");
  refused({.inputs = 0}, "inputs: expected at least 1");
  refused({.tolerance = -1}, "tolerance");
  refused({.tolerance = 1e-3, .longest_refresh = 0}, "longest refresh");
}
