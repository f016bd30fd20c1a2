#include <cmath>

#include <xbar/mapping/remap/moment_factor.hpp>

#include "support/arrays.hpp"
#include "support/catch.hpp"

using xbar::Index;
using xbar::MatrixF;
using xbar::mapping::factor_moments;
using xbar::mapping::MomentFactor;

namespace {

// Of 400 samples in some directions and, much weaker, of each signal by itself.
MatrixF moments_of(Index signals, Index directions, float noise) {
  const MatrixF x = (xbar_test::random_matrix(400, directions, -1, 1, 1) *
                     xbar_test::random_matrix(directions, signals, -1, 1, 2))
                        .cast<float>();
  const MatrixF own = noise * xbar_test::random_matrix(400, signals, -1, 1, 3).cast<float>();
  return (x + own).transpose() * (x + own) / 400.0F;
}

MatrixF whole(const MomentFactor& factor) {
  MatrixF c = factor.factor.transpose() * factor.factor;
  c.diagonal() += factor.rest;
  return c;
}

}  // namespace

TEST_CASE("mapping/remap/moment_factor: moments of few directions come back, with signals to spare",
          "[mapping][remap]") {
  // Rounding in single precision, grown by the condition of random directions.
  for (const Index directions : {1, 5, 8}) {
    const MatrixF moments = moments_of(60, directions, 0);
    const MomentFactor found = factor_moments(moments, 12);
    CAPTURE(directions);
    REQUIRE(found.factor.rows() == 12);
    CHECK((whole(found) - moments).norm() <= 2e-4F * moments.norm());
  }
}

TEST_CASE("mapping/remap/moment_factor: what is left of each signal stays on the diagonal",
          "[mapping][remap]") {
  const MatrixF moments = moments_of(60, 5, 0.3F);
  const MomentFactor found = factor_moments(moments, 12);
  CHECK(found.rest.minCoeff() >= 0);
  CHECK((whole(found) - moments).diagonal().cwiseAbs().maxCoeff() <=
        2e-5F * moments.diagonal().maxCoeff());
  CHECK((whole(found) - moments).norm() <= 0.05F * moments.norm());
  // The diagonal alone would not do.
  MatrixF alone = moments.diagonal().asDiagonal();
  CHECK((alone - moments).norm() >= 0.5F * moments.norm());
}

TEST_CASE("mapping/remap/moment_factor: no signals, dead signals, full rank", "[mapping][remap]") {
  const MatrixF none = MatrixF::Zero(8, 8);
  CHECK(whole(factor_moments(none, 3)) == none);
  MatrixF moments = moments_of(20, 4, 0.1F);
  moments.row(7).setZero();
  moments.col(7).setZero();
  const MomentFactor dead = factor_moments(moments, 6);
  CHECK(dead.factor.col(7).norm() <= 1e-4F * dead.factor.norm());
  CHECK((whole(factor_moments(moments, 20)) - moments).norm() <= 1e-4F * moments.norm());
}
