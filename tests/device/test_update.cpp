#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/device/update.hpp>

#include "line_kernels.hpp"
#include "support/catch.hpp"

using xbar::RandomStream;
using xbar::device::apply_update;
using xbar::device::UpdateKind;
using xbar::device::UpdateModel;

namespace {

using Steps = void (*)(long, float, const float*, const float*, float*);

struct StepBuilds {
  UpdateKind kind;
  std::vector<Steps> builds;
};

// In every build that this machine runs.
std::vector<StepBuilds> step_builds() {
  StepBuilds asymmetric{UpdateKind::asymmetric, {xbar::device::baseline::asymmetric_steps}};
  StepBuilds symmetric{UpdateKind::symmetric, {xbar::device::baseline::symmetric_steps}};
#if defined(__x86_64__)
  if (xbar::isa() >= xbar::Isa::avx2) {
    asymmetric.builds.push_back(xbar::device::avx2::asymmetric_steps);
    symmetric.builds.push_back(xbar::device::avx2::symmetric_steps);
  }
  if (xbar::isa() >= xbar::Isa::avx512) {
    asymmetric.builds.push_back(xbar::device::avx512::asymmetric_steps);
    symmetric.builds.push_back(xbar::device::avx512::symmetric_steps);
  }
#endif
  return {asymmetric, symmetric};
}

std::vector<float> steps(Steps kernel, float nu, const std::vector<float>& x,
                         const std::vector<float>& d) {
  std::vector<float> step(x.size());
  kernel(static_cast<long>(x.size()), nu, x.data(), d.data(), step.data());
  return step;
}

// CrossSim's formulas as they are printed, for weights in [0, 1].
long double asymmetric_step(long double nu, long double x, long double d) {
  const long double w0 = -1 / std::expm1(-nu);
  return d > 0 ? (w0 - x) * -std::expm1(-nu * d) : (1 - w0 - x) * -std::expm1(nu * d);
}
long double symmetric_step(long double nu, long double x, long double d) {
  const long double A = (std::exp(nu) + 1) / std::expm1(nu);
  const long double B = -1 / std::expm1(nu);
  return A / (1 + std::exp(-2 * nu * d) * (A / (x - B) - 1)) - x + B;
}

float moved(const UpdateModel& model, float x, float d) {
  std::vector<float> state{x};
  apply_update(model, state, std::vector<float>{d}, RandomStream(1, "noise"), 0);
  return state.front();
}

}  // namespace

TEST_CASE("device/update: without noise a cell moves as asked, within its bounds", "[device]") {
  std::vector<float> state = {0.25F, 0.9F, 0.1F, 0.5F};
  const std::vector<float> change = {0.5F, 0.25F, -0.25F, 0.0F};
  apply_update({}, state, change, RandomStream(1, "noise"), 0);
  REQUIRE(state == std::vector<float>{0.75F, 1.0F, 0.0F, 0.5F});
}

TEST_CASE("device/update: write noise grows with the root of the step", "[device]") {
  // Standard deviation gamma sqrt(|dx|), mean dx; 20,000 cells: relative error of the standard
  // deviation 1/sqrt(2 * 20000) = 0.5 %, so 3 % is six of them.
  const std::size_t count = 20000;
  const RandomStream noise(7, "noise");
  const UpdateModel model{.write_noise = 0.05};
  for (const float step : {0.01F, 0.16F}) {
    std::vector<float> state(count, 0.5F);
    const std::vector<float> change(count, step);
    apply_update(model, state, change, noise, 0);
    double mean = 0;
    double square = 0;
    for (const float x : state) {
      mean += (x - 0.5) / static_cast<double>(count);
      square += (x - 0.5) * (x - 0.5) / static_cast<double>(count);
    }
    const double expected = 0.05 * std::sqrt(step);
    const double deviation = std::sqrt(square - mean * mean);
    REQUIRE_THAT(deviation, xbar_test::WithinRel(expected, 0.03));
    REQUIRE_THAT(mean, xbar_test::WithinAbs(step, 6 * expected / std::sqrt(20000.0)));
  }
}

TEST_CASE("device/update: a cell that is not written gets no noise; draws depend on the cell",
          "[device]") {
  const RandomStream noise(7, "noise");
  const UpdateModel model{.write_noise = 0.1};
  std::vector<float> whole = {0.5F, 0.5F, 0.5F, 0.5F};
  apply_update(model, whole, std::vector<float>{0.1F, 0.0F, 0.1F, 0.1F}, noise, 0);
  REQUIRE(whole[1] == 0.5F);
  REQUIRE(whole[0] != whole[2]);
  // The same cells in two pieces: the result does not depend on how the work is split.
  std::vector<float> tail = {0.5F, 0.5F};
  apply_update(model, tail, std::vector<float>{0.1F, 0.1F}, noise, 2);
  REQUIRE(tail[0] == whole[2]);
  REQUIRE(tail[1] == whole[3]);
}

TEST_CASE("device/update: asymmetric steps worked by hand", "[device]") {
  // nu = ln 2: exp(-nu) = 1/2, w0 = 2, and 1 - exp(-nu/2) = 1 - sqrt(1/2) = 0.29289322.
  const UpdateModel model{.kind = UpdateKind::asymmetric, .nonlinearity = std::log(2.0)};
  const double half = 1 - std::sqrt(0.5);
  struct Row {
    float x;
    float d;
    double expected;
  };
  for (const Row& row : {Row{0, 1, 1},                           // 2 * 1/2: the whole range
                         Row{1, -1, 0},                          // (1 - 2 - 1) * 1/2 = -1
                         Row{0, 0.5F, 2 * half},                 // 0.586: more than asked for
                         Row{0.25F, 0.5F, 0.25 + 1.75 * half},   // 0.763
                         Row{0.75F, -0.5F, 0.75 - 1.75 * half},  // 0.237, the mirror image
                         Row{0.75F, 0.125F, 0.75 + 1.25 * (1 - std::pow(2, -0.125))},
                         Row{0.5F, 1, 1},       // 0.5 + 1.5 * 0.5, clamped
                         Row{0.25F, -0.5F, 0},  // 0.25 - 1.25 * 0.293, clamped
                         Row{0.3125F, 0, 0.3125}}) {
    CAPTURE(row.x, row.d);
    CHECK_THAT(moved(model, row.x, row.d), xbar_test::WithinAbs(row.expected, 4 * 0x1p-24));
  }
}

TEST_CASE("device/update: symmetric steps worked by hand", "[device]") {
  // nu = ln 3: A = 4/2 = 2, B = -1/2; at x = 1/2, A/(x - B) - 1 = 1; at x = 0 it is 3.
  const UpdateModel model{.kind = UpdateKind::symmetric, .nonlinearity = std::log(3.0)};
  struct Row {
    float x;
    float d;
    double expected;
  };
  const double quarter = 2 / (1 + std::sqrt(1.0 / 3)) - 1;  // 0.268: more than asked for
  for (const Row& row :
       {Row{0.5F, 0.5F, 1},  // 2/(1 + 1/3) - 1/2 - 1/2 = 1/2
        Row{0, 1, 1},        // 2/(1 + 3/9) - 0 - 1/2 = 1
        Row{1, -1, 0}, Row{0.5F, 0.25F, 0.5 + quarter}, Row{0.5F, -0.25F, 0.5 - quarter},
        Row{0, 0.5F, 0.5},  // 2/(1 + 3/3) - 0 - 1/2
        Row{1, 0.5F, 1}, Row{0.3125F, 0, 0.3125}}) {
    CAPTURE(row.x, row.d);
    CHECK_THAT(moved(model, row.x, row.d), xbar_test::WithinAbs(row.expected, 4 * 0x1p-24));
  }
}

TEST_CASE("device/update: steps are the printed formulas to relative single precision",
          "[device]") {
  // Rounding nu |d| by a unit of 2^-24 moves an exponential by nu |d| of them, twice that of the
  // symmetric one, beside a dozen operations. The printed formula itself is known to 2^-62 here.
  const RandomStream stream(11, "steps");
  const std::size_t count = 4099;  // no multiple of a register
  std::vector<float> x(count);
  std::vector<float> d(count);
  xbar::fill_uniform(stream, 0, x);
  xbar::fill_normal(stream.substream(1), 0, d);
  x[0] = 0;
  x[1] = 1;
  for (std::size_t k = 0; k < count; k += 2) d[k] *= 1e-5F;  // a training step
  for (const float nu : {1e-3F, 0.05F, 0.1F, 1.0F, 5.0F, 20.0F}) {
    for (const auto& [kind, builds] : step_builds()) {
      const auto reference = steps(builds.front(), nu, x, d);
      double worst = 0;
      for (std::size_t k = 0; k < count; ++k) {
        const long double exact = kind == UpdateKind::asymmetric ? asymmetric_step(nu, x[k], d[k])
                                                                 : symmetric_step(nu, x[k], d[k]);
        const long double allowed =
            (16 + 4 * nu * std::fabs(d[k])) * 0x1p-24L * std::fabs(exact) + 0x1p-60L;
        worst = std::max(worst, static_cast<double>(std::fabs(reference[k] - exact) / allowed));
      }
      CAPTURE(nu, update_kind_name(kind));
      CHECK(worst <= 1);
      for (const Steps build : builds) CHECK(steps(build, nu, x, d) == reference);
    }
  }
}

TEST_CASE("device/update: a small non-linearity is nearly linear, none is exactly so", "[device]") {
  // s = d (1 + nu (1/2 - x) + O(nu d)): within nu of d, but for rounding.
  const std::vector<float> x = {0.0F, 0.25F, 0.5F, 1.0F, 0.75F};
  const std::vector<float> d = {1e-6F, 0.3F, -0.3F, -1e-4F, 0.2F};
  for (const float nu : {1e-30F, 1e-9F, 1e-6F, 1e-4F}) {
    for (const auto& [kind, builds] : step_builds()) {
      const auto s = steps(builds.front(), nu, x, d);
      for (std::size_t k = 0; k < x.size(); ++k) {
        CAPTURE(nu, k);
        CHECK_THAT(s[k], xbar_test::WithinRel(d[k], nu + 16 * 0x1p-24F));
      }
    }
  }
  for (const UpdateKind kind :
       {UpdateKind::linear, UpdateKind::asymmetric, UpdateKind::symmetric}) {
    for (const double nu : {0.0, 1e-320, 1e-40, 1e-12}) {
      std::vector<float> state = x;
      apply_update({.kind = kind, .nonlinearity = nu}, state, d, RandomStream(1, "noise"), 0);
      for (std::size_t k = 0; k < x.size(); ++k) {
        CHECK(state[k] == std::clamp(x[k] + d[k], 0.0F, 1.0F));
      }
    }
  }
}

TEST_CASE("device/update: pulses walk along the curve of the model", "[device]") {
  // 100 pulses of 1/100 up from 0: x(p) = (1 - exp(-nu p))/(1 - exp(-nu)), NeuroSim's curve; and
  // x(p) = 1/2 + tanh(nu (p - 1/2))/(2 tanh(nu/2)). Every pulse rounds by a unit of 2^-24 or two.
  for (const double nu : {0.1, 1.0, 3.0}) {
    float asymmetric = 0;
    float symmetric = 0;
    for (int pulse = 1; pulse <= 100; ++pulse) {
      asymmetric = moved({.kind = UpdateKind::asymmetric, .nonlinearity = nu}, asymmetric, 0.01F);
      symmetric = moved({.kind = UpdateKind::symmetric, .nonlinearity = nu}, symmetric, 0.01F);
      const double p = pulse / 100.0;
      CAPTURE(nu, pulse);
      CHECK_THAT(asymmetric,
                 xbar_test::WithinAbs(std::expm1(-nu * p) / std::expm1(-nu), 200 * 0x1p-24));
      CHECK_THAT(symmetric,
                 xbar_test::WithinAbs(0.5 + std::tanh(nu * (p - 0.5)) / (2 * std::tanh(nu / 2)),
                                      200 * 0x1p-24));
    }
  }
}

TEST_CASE("device/update: up and down cancel in the symmetric model, not in the asymmetric one",
          "[device]") {
  const UpdateModel asymmetric{.kind = UpdateKind::asymmetric, .nonlinearity = 1};
  const UpdateModel symmetric{.kind = UpdateKind::symmetric, .nonlinearity = 1};
  for (const float x : {0.25F, 0.5F, 0.75F}) {
    CAPTURE(x);
    CHECK_THAT(moved(symmetric, moved(symmetric, x, 0.1F), -0.1F), xbar_test::WithinAbs(x, 1e-6));
    // Zero-mean changes pull the cell to the middle.
    const float back = moved(asymmetric, moved(asymmetric, x, 0.1F), -0.1F);
    if (x < 0.5F) CHECK(back > x + 1e-3F);
    if (x > 0.5F) CHECK(back < x - 1e-3F);
  }
}

TEST_CASE("device/update: write noise is that of the step that the cell makes", "[device]") {
  // From x = 1/8 the asymmetric cell of nu = 2 moves by s = 0.0193 where 0.01 is asked. 20,000
  // cells, as above: 3 % is six standard errors of the deviation.
  const std::size_t count = 20000;
  const UpdateModel model{.kind = UpdateKind::asymmetric, .nonlinearity = 2, .write_noise = 0.05};
  std::vector<float> state(count, 0.125F);
  apply_update(model, state, std::vector<float>(count, 0.01F), RandomStream(8, "noise"), 0);
  double mean = 0;
  double square = 0;
  for (const float x : state) {
    mean += (x - 0.125) / static_cast<double>(count);
    square += (x - 0.125) * (x - 0.125) / static_cast<double>(count);
  }
  const auto step = static_cast<double>(asymmetric_step(2, 0.125, 0.01F));
  const double expected = 0.05 * std::sqrt(step);
  CHECK_THAT(std::sqrt(square - mean * mean), xbar_test::WithinRel(expected, 0.03));
  CHECK_THAT(mean, xbar_test::WithinAbs(step, 6 * expected / std::sqrt(20000.0)));
}

TEST_CASE("device/update: the noise is the stream's, however a long line is cut", "[device]") {
  const RandomStream noise(9, "noise");
  const std::size_t count = 1500;  // more than the update works on at a time
  std::vector<float> change(count);
  xbar::fill_normal(RandomStream(9, "change"), 0, change);
  for (float& d : change) d *= 0.05F;
  std::vector<float> normal(count);
  xbar::fill_normal(noise, 33, normal);
  for (const UpdateKind kind :
       {UpdateKind::linear, UpdateKind::asymmetric, UpdateKind::symmetric}) {
    const UpdateModel model{.kind = kind, .nonlinearity = 1, .write_noise = 0.1};
    std::vector<float> whole(count, 0.5F);
    apply_update(model, whole, change, noise, 33);
    for (const std::size_t cut : {1U, 256U, 700U}) {
      std::vector<float> pieces(count, 0.5F);
      apply_update(model, std::span(pieces).first(cut), std::span(change).first(cut), noise, 33);
      apply_update(model, std::span(pieces).subspan(cut), std::span(change).subspan(cut), noise,
                   33 + cut);
      CHECK(pieces == whole);
    }
    if (kind == UpdateKind::linear) {
      for (std::size_t k = 0; k < count; ++k) {
        const double x = 0.5 + change[k] + 0.1 * std::sqrt(std::fabs(change[k])) * normal[k];
        CHECK_THAT(whole[k], xbar_test::WithinAbs(std::clamp(x, 0.0, 1.0), 4 * 0x1p-24));
      }
    }
  }
}

TEST_CASE("device/update: a NaN is not hidden by the clamp", "[device]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const UpdateKind kind :
       {UpdateKind::linear, UpdateKind::asymmetric, UpdateKind::symmetric}) {
    for (const double noise : {0.0, 0.1}) {
      const UpdateModel model{.kind = kind, .nonlinearity = 1, .write_noise = noise};
      CHECK(std::isnan(moved(model, nan, 0.1F)));
      CHECK(std::isnan(moved(model, 0.5F, nan)));
    }
  }
}

TEST_CASE("device/update: names and fields that are none are refused", "[device]") {
  for (const UpdateKind kind :
       {UpdateKind::linear, UpdateKind::asymmetric, UpdateKind::symmetric}) {
    CHECK(xbar::device::parse_update_kind(xbar::device::update_kind_name(kind)) == kind);
  }
  CHECK_THROWS_WITH(xbar::device::parse_update_kind("cubic"),
                    "update-kind: expected linear, asymmetric or symmetric, got 'cubic'");
  using xbar::device::check_update_model;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(check_update_model({}));
  CHECK_NOTHROW(check_update_model({.nonlinearity = 50, .write_noise = 10}));
  CHECK_THROWS_WITH(check_update_model({.nonlinearity = -1}),
                    "nonlinearity: expected 0 to 50, got -1");
  CHECK_THROWS_WITH(check_update_model({.nonlinearity = 51}),
                    "nonlinearity: expected 0 to 50, got 51");
  CHECK_THROWS_WITH(check_update_model({.nonlinearity = nan}),
                    "nonlinearity: expected 0 to 50, got nan");
  CHECK_THROWS_WITH(check_update_model({.write_noise = -0.1}),
                    "write-noise: expected 0 to 10 (of the conductance range), got -0.1");
  CHECK_THROWS_WITH(check_update_model({.write_noise = nan}),
                    "write-noise: expected 0 to 10 (of the conductance range), got nan");
}
