#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/random.hpp>
#include <xbar/device/neurosim_label.hpp>
#include <xbar/device/pulse_models.hpp>
#include <xbar/device/update.hpp>

#include "step_kernels.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::InvalidArgument;
using xbar::Matrix;
using xbar::RandomStream;
using xbar::device::make_pulse_model;
using xbar::device::PulseCurves;
using xbar::device::PulseModel;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

using Model = std::shared_ptr<const PulseModel>;

Matrix list(const std::vector<double>& values) {
  return Eigen::Map<const xbar::Vector>(values.data(), static_cast<xbar::Index>(values.size()));
}

const PulseCurves uneven{{"x", list({0, 0.1, 0.35, 0.9, 1})},
                         {"up", list({0.02, 0.01, 0.03, 0.005, 0})},
                         {"down", list({0, 0.004, 0.02, 0.01, 0.015})}};
const PulseCurves even{{"up", list({0.02, 0.01, 0.03, 0.005, 0})},
                       {"down", list({0, 0.004, 0.02, 0.01, 0.015})}};

// Every model, with parameters away from their defaults.
std::vector<Model> models() {
  return {
      make_pulse_model("linear", {{"up_step", 0.003}, {"down_step", 0.007}}),
      make_pulse_model("soft-bounds", {{"up_step", 0.02}, {"up_slope", 0.8}}),
      make_pulse_model("neurosim"),
      make_pulse_model("neurosim", {{"up_nonlinearity", -3}, {"down_nonlinearity", 1.46}}),
      make_pulse_model("asymmetric", {{"nonlinearity", 2}, {"pulses", 50}}),
      make_pulse_model("symmetric", {{"nonlinearity", 3}, {"pulses", 50}}),
      make_pulse_model(
          "exponential",
          {{"up_amplitude", 1.18445}, {"up_rate", 5}, {"down_amplitude", -1.5}, {"down_rate", 2}}),
      make_pulse_model("power", {{"up_exponent", 1.7}, {"down_exponent", 0.4}}),
      make_pulse_model("piecewise", {}, uneven),
      make_pulse_model("piecewise", {}, even)};
}

}  // namespace

TEST_CASE("device/pulse_models: the fast steps are the plain ones to single precision",
          "[device][pulse]") {
  const std::size_t count = 4099;  // no multiple of a register
  std::vector<float> x(count);
  std::vector<float> up(count);
  std::vector<float> down(count);
  xbar::fill_uniform(RandomStream(5, "x"), 0, x);
  x[0] = 0;
  x[1] = 1;
  for (const Model& model : models()) {
    model->up_steps(x, up);
    model->down_steps(x, down);
    double largest = 0;
    double worst = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const double exact_up = model->up_step(x[k]);
      const double exact_down = model->down_step(x[k]);
      largest = std::max({largest, exact_up, exact_down});
      worst = std::max({worst, std::abs(up[k] - exact_up), std::abs(down[k] - exact_down)});
    }
    // A dozen roundings of numbers as large as the largest step; 1 - x and exponents of 5 or less
    // count for as many again.
    CAPTURE(model->name());
    CHECK(largest > 1e-3);
    CHECK(worst <= 32 * 0x1p-24 * largest);
  }
}

TEST_CASE("device/pulse_models: steps worked by hand", "[device][pulse]") {
  const Model linear = make_pulse_model("linear", {{"up_step", 0.25}, {"down_step", 0.125}});
  CHECK(linear->up_step(0.9) == 0.25);
  CHECK(linear->down_step(0.1) == 0.125);
  const Model soft = make_pulse_model(
      "soft-bounds", {{"up_step", 0.5}, {"down_step", 0.25}, {"up_slope", 1}, {"down_slope", 0.5}});
  CHECK(soft->up_step(0.75) == 0.125);    // 0.5 (1 - 0.75)
  CHECK(soft->down_step(0.5) == 0.1875);  // 0.25 (1 - 0.5 * 0.5)
  CHECK(soft->down_step(0) == 0.125);
  const Model power = make_pulse_model(
      "power", {{"up_step", 0.5}, {"up_exponent", 2}, {"down_step", 0.25}, {"down_exponent", 0.5}});
  CHECK_THAT(power->up_step(0.5), WithinRel(0.125, 1e-15));
  CHECK_THAT(power->down_step(0.25), WithinRel(0.125, 1e-15));
  const Model exponential = make_pulse_model("exponential", {{"up_step", 0.5},
                                                             {"up_amplitude", -0.5},
                                                             {"up_rate", std::log(4)},
                                                             {"down_step", 0.25},
                                                             {"down_amplitude", 2},
                                                             {"down_rate", std::log(4)}});
  CHECK_THAT(exponential->up_step(0.5), WithinRel(0.375, 1e-15));  // 0.5 (1 - 0.5/2)
  CHECK_THAT(exponential->down_step(0.5), WithinRel(0.5, 1e-15));  // 0.25 (1 + 2/2)
  const Model cut = make_pulse_model("exponential", {{"up_amplitude", -3}, {"up_rate", 1}});
  CHECK(cut->up_step(0.5) == 0);  // 1 - 3 exp(-1/2) < 0
  const Model pieces = make_pulse_model("piecewise", {}, uneven);
  CHECK_THAT(pieces->up_step(0.05), WithinRel(0.015, 1e-15));
  CHECK_THAT(pieces->up_step(0.225), WithinRel(0.02, 1e-14));
  CHECK(pieces->down_step(1) == 0.015);
  const Model even_pieces = make_pulse_model("piecewise", {}, even);
  CHECK_THAT(even_pieces->up_step(0.375), WithinRel(0.02, 1e-14));  // between 0.01 and 0.03
}

TEST_CASE("device/pulse_models: symmetric and asymmetric pulses are steps of the update model",
          "[device][pulse]") {
  // The state of update.hpp rounds at 2^-24 of the range, and its steps at a dozen units of theirs.
  for (const double nu : {0.0, 0.01, 1.0, 5.0}) {
    for (const xbar::device::UpdateKind kind :
         {xbar::device::UpdateKind::asymmetric, xbar::device::UpdateKind::symmetric}) {
      const Model model = make_pulse_model(xbar::device::update_kind_name(kind),
                                           {{"nonlinearity", nu}, {"pulses", 40}});
      for (const float x : {0.0F, 0.1F, 0.5F, 0.77F, 1.0F}) {
        for (const float change : {1.0F / 40, -1.0F / 40}) {
          std::vector<float> state{x};
          xbar::device::apply_update({.kind = kind, .nonlinearity = nu}, state,
                                     std::vector<float>{change}, RandomStream(1, "none"), 0);
          const double step = change > 0 ? model->up_step(x) : -model->down_step(x);
          CAPTURE(nu, x, change, model->name());
          CHECK_THAT(state.front(), WithinAbs(std::clamp(x + step, 0.0, 1.0), 4 * 0x1p-24));
        }
      }
    }
  }
}

TEST_CASE("device/pulse_models: NeuroSim's pulses walk along its curve, up and down",
          "[device][pulse]") {
  // G(P) = B (1 - exp(-P/A)) with B = 1/(1 - exp(-Pmax/A)), Gmin = 0, and A = Pmax/nu, in double
  // precision: 100 steps round by 1e-16 each, more where the curve is steep.
  const double pulses = 100;
  for (const double up_label : {2.4, 0.01, -4.88}) {
    for (const double down_label : {-4.88, 1.46, 3.0}) {
      const Model model = make_pulse_model("neurosim", {{"up_nonlinearity", up_label},
                                                        {"down_nonlinearity", down_label},
                                                        {"up_pulses", pulses},
                                                        {"down_pulses", pulses}});
      const auto curve = [&](double label, double P) {
        const double A = pulses / xbar::device::neurosim_exponent(label);
        return std::expm1(-P / A) / std::expm1(-pulses / A);
      };
      double x = 0;
      for (int P = 1; P <= 100; ++P) {
        x += model->up_step(x);
        CAPTURE(up_label, P);
        CHECK_THAT(x, WithinAbs(curve(up_label, P), 1e-11));
      }
      x = 1;
      for (int P = 99; P >= 0; --P) {
        x -= model->down_step(x);
        CAPTURE(down_label, P);
        CHECK_THAT(x, WithinAbs(curve(down_label, P), 1e-11));
      }
    }
  }
}

TEST_CASE("device/pulse_models: every build of the kernels gives the same bits",
          "[device][pulse]") {
#if defined(__x86_64__)
  const std::size_t count = 1003;
  std::vector<float> x(count);
  std::vector<float> u(count);
  xbar::fill_uniform(RandomStream(5, "x"), 0, x);
  xbar::fill_uniform(RandomStream(5, "u"), 0, u);
  const std::vector<float> knot = {0, 0.1F, 0.35F, 1};
  const std::vector<float> value = {0.02F, 0.01F, 0.03F, 0.05F};
  const std::vector<float> slope = {-0.1F, 0.08F, 0.03F};
  const std::vector<float> cumulative = {0, 0.2F, 0.7F, 1, 0.1F, 0.1F, 0.6F, 0.9F};
  const auto n = static_cast<long>(count);
  const auto all = [&](auto affine, auto exponential, auto power, auto evenly, auto unevenly,
                       auto quantiles) {
    std::vector<float> result;
    std::vector<float> step(count);
    const auto keep = [&] { result.insert(result.end(), step.begin(), step.end()); };
    affine(n, 0.02F, 0.003F, x.data(), step.data());
    keep();
    exponential(n, 0.02F, 0.4F, -5, x.data(), step.data());
    keep();
    power(n, 0.02F, 1.7F, true, x.data(), step.data());
    keep();
    evenly(n, 4, value.data(), x.data(), step.data());
    keep();
    unevenly(n, 4, knot.data(), value.data(), slope.data(), x.data(), step.data());
    keep();
    quantiles(n, 2, 4, knot.data(), cumulative.data(), x.data(), u.data(), step.data());
    keep();
    return result;
  };
#define XBAR_ALL(isa)                                                          \
  all(xbar::device::isa::affine_steps, xbar::device::isa::exponential_steps,   \
      xbar::device::isa::power_steps, xbar::device::isa::even_piecewise_steps, \
      xbar::device::isa::piecewise_steps, xbar::device::isa::quantile_steps)
  const auto reference = XBAR_ALL(baseline);
  if (xbar::isa() >= xbar::Isa::avx2) CHECK(XBAR_ALL(avx2) == reference);
  if (xbar::isa() >= xbar::Isa::avx512) CHECK(XBAR_ALL(avx512) == reference);
#undef XBAR_ALL
#endif
}

TEST_CASE("device/pulse_models: beyond the range a state counts as its end", "[device][pulse]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Model& model : models()) {
    if (model->name() == "symmetric") continue;  // states come clamped
    std::vector<float> ends(2);
    std::vector<float> up(3);
    model->up_steps(std::vector<float>{0, 1}, ends);
    model->up_steps(std::vector<float>{-3, 7, nan}, up);  // the last must read nothing out of place
    CAPTURE(model->name());
    CHECK(up[0] == ends[0]);
    CHECK(up[1] == ends[1]);
  }
}

TEST_CASE("device/pulse_models: what makes no model is refused", "[device][pulse]") {
  const auto message = [](const std::string& name, const std::map<std::string, double>& parameters,
                          const PulseCurves& curves) {
    return xbar_test::message_of<InvalidArgument>(
        [&] { (void)make_pulse_model(name, parameters, curves); });
  };
  CHECK(message("liner", {}, {}) ==
        "model: expected one of linear, soft-bounds, neurosim, asymmetric, symmetric, exponential, "
        "power, piecewise, table, got 'liner'; did you mean linear?");
  CHECK(message("linear", {{"up_stp", 1}}, {}) ==
        "model linear: expected one of up_step, down_step, got 'up_stp'; did you mean up_step?");
  CHECK(message("linear", {{"up_step", 2}}, {}) ==
        "up_step: expected 1e-09 to 1 of the range, got 2");
  CHECK(message("piecewise", {}, {{"up", list({1, 1})}}) ==
        "down: expected the list of down steps there for the model piecewise, found none");
  CHECK(message("linear", {}, {{"up", list({1, 1})}}) ==
        "model linear: expected no parameter, got 'up'");
  PulseCurves curves = uneven;
  curves["up"] = list({0.1, 0.1});
  CHECK(message("piecewise", {}, curves) == "up: expected 5 values, as many as x, found 2");
  curves["up"] = list({0.1, 0.1, 0.1, -0.1, 0.1});
  CHECK(message("piecewise", {}, curves) ==
        "up: expected steps of 0 to 1 of the range, found -0.1");
  curves["x"] = list({0, 0.5, 0.4, 0.9, 1});
  CHECK(message("piecewise", {}, curves) == "x: expected rising places, found 0.4 after 0.5");
  curves["x"] = list({0.1, 0.5, 0.6, 0.9, 1});
  CHECK(message("piecewise", {}, curves) == "x: expected places from 0 to 1, found 0.1 to 1");
}
