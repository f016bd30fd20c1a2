#include <array>
#include <cmath>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/one_thread.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>
#include <xbar/surrogate_calibrate/measure.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Matrix;
using xbar::surrogate::CalibrationPoint;
using xbar::surrogate::measure;
using xbar::surrogate::Measurement;
using xbar::surrogate::MeasureOptions;
using xbar::surrogate::ModelKind;
using xbar::surrogate::WeightDistribution;
using xbar_test::Contains;
using xbar_test::message_of;
using xbar_test::WithinAbs;
using xbar_test::WithinRel;

namespace {

constexpr std::array ideal_only{ModelKind::ideal};

Measurement measure_ideal(const CalibrationPoint& point, const Matrix& array,
                          const MeasureOptions& options = {}) {
  return measure(point, std::array{array}, ideal_only, options).at(0);
}

bool same_figures(const Measurement& a, const Measurement& b) {
  return a.model == b.model && a.relative_error == b.relative_error &&
         a.mean_error == b.mean_error && a.p99_error == b.p99_error &&
         a.worst_error == b.worst_error && a.gain == b.gain &&
         a.relative_error_after_gain == b.relative_error_after_gain &&
         a.first_column_gain == b.first_column_gain && a.last_column_gain == b.last_column_gain &&
         a.relative_error_after_column_gain == b.relative_error_after_column_gain;
}

}  // namespace

TEST_CASE("surrogate/measure: one cell in series with its terminals", "[surrogate]") {
  // G R = 5e-5 * (300 + 100) = 0.02: ideal currents are 1.02 times the exact ones.
  CalibrationPoint point{.rows = 1, .columns = 1, .wires = {300, 100, 7, 7}};
  const Measurement result = measure_ideal(point, Matrix::Constant(1, 1, 5e-5));
  for (const double error :
       {result.relative_error, result.mean_error, result.p99_error, result.worst_error}) {
    REQUIRE_THAT(error, WithinRel(0.02, 1e-9));
  }
  REQUIRE_THAT(result.gain, WithinRel(1 / 1.02, 1e-12));
  REQUIRE(result.relative_error_after_gain < 1e-9);
}

TEST_CASE("surrogate/measure: a factor for all bitlines, and one for each", "[surrogate]") {
  // A sink resistance alone: bitline j carries G V / (1 + G R). G R = 0.1 and 0.25, in units of
  // 1/R the exact currents are 0.1/1.1 = 0.0909.. and 0.25/1.25 = 0.2.
  CalibrationPoint point{.rows = 1, .columns = 2, .wires = {0, 1000, 0, 0}};
  Matrix array(1, 2);
  array << 1e-4, 2.5e-4;
  const Measurement result = measure_ideal(point, array);
  const double exact[2] = {0.1 / 1.1, 0.2};
  const double squares = exact[0] * exact[0] + exact[1] * exact[1];
  const double off[2] = {0.1 - exact[0], 0.05};
  REQUIRE_THAT(result.relative_error,
               WithinRel(std::sqrt((off[0] * off[0] + off[1] * off[1]) / squares), 1e-9));
  REQUIRE_THAT(result.mean_error, WithinRel(0.05 / 0.2, 1e-9));  // the second bitline is larger
  const double gain = (0.1 * exact[0] + 0.25 * exact[1]) / (0.1 * 0.1 + 0.25 * 0.25);
  REQUIRE_THAT(result.gain, WithinRel(gain, 1e-9));
  const double left[2] = {gain * 0.1 - exact[0], gain * 0.25 - exact[1]};
  REQUIRE_THAT(result.relative_error_after_gain,
               WithinRel(std::sqrt((left[0] * left[0] + left[1] * left[1]) / squares), 1e-9));
  REQUIRE_THAT(result.first_column_gain, WithinRel(1 / 1.1, 1e-9));
  REQUIRE_THAT(result.last_column_gain, WithinRel(1 / 1.25, 1e-9));
  REQUIRE(result.relative_error_after_column_gain < 1e-9);
}

TEST_CASE("surrogate/measure: non-linear cells against Newton's method", "[surrogate]") {
  // Without wires the current is G sinh(a V) / a, so ideal falls short by 1 - a V / sinh(a V).
  CalibrationPoint point{.rows = 1, .columns = 1, .wires = {}, .density = 1};
  point.sinh_alpha = 3;
  point.input_volt = 0.5;
  const MeasureOptions options{.inputs = 1, .seed = 9};
  const Measurement result = measure_ideal(point, Matrix::Constant(1, 1, 5e-5), options);
  const double x = 3 * 0.5 * xbar::surrogate::random_sparse_inputs(1, 1, 9, 1)(0, 0);
  REQUIRE_THAT(result.worst_error, WithinRel(1 - x / std::sinh(x), 1e-9));

  // At vanishing voltages such cells are ohmic again.
  point = {.rows = 8, .columns = 8};
  const auto ohmic = measure(point, ideal_only);
  point.sinh_alpha = 3;
  point.input_volt = 1e-4;
  REQUIRE_THAT(measure(point, ideal_only).at(0).relative_error,
               WithinRel(ohmic.at(0).relative_error, 1e-6));
}

TEST_CASE("surrogate/measure: as current_error for one array", "[surrogate]") {
  const CalibrationPoint point{.rows = 20, .columns = 30};
  const Matrix array = xbar::surrogate::random_conductance(point, 4);
  const Measurement result =
      measure(point, std::array{array}, std::array{ModelKind::ladder}, {.seed = 4}).at(0);
  const auto expected = xbar::surrogate::current_error(
      xbar::surrogate::effective_conductance(ModelKind::ladder, array, point.wires),
      xbar::surrogate::effective_conductance(ModelKind::exact, array, point.wires),
      xbar::surrogate::random_sparse_inputs(20, 64, 4));
  REQUIRE_THAT(result.relative_error, WithinRel(expected.relative, 1e-9));
  REQUIRE_THAT(result.mean_error, WithinRel(expected.mean, 1e-9));
  REQUIRE_THAT(result.worst_error, WithinRel(expected.worst, 1e-9));
  REQUIRE(result.p99_error <= result.worst_error);
  REQUIRE(result.p99_error > result.mean_error);
  const auto random = measure(point, std::array{ModelKind::ladder}, {.arrays = 1, .seed = 4});
  REQUIRE(same_figures(random.at(0), result));
}

TEST_CASE("surrogate/measure: the family at 64x64, 20 kohm, 1 ohm, 100 ohm", "[surrogate]") {
  const std::array models{ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point,
                          ModelKind::sneak_ladder, ModelKind::exact};
  const auto results = measure({}, models);
  // Ideal 45 %, ladder 3 %, operating point 0.2 %, sneak paths 0.003 %, each within a half.
  const std::array expected{0.45, 0.03, 0.002, 3e-5};
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k, results[k].relative_error);
    REQUIRE_THAT(results[k].relative_error, WithinRel(expected[k], 0.5));
    REQUIRE(results[k].relative_error_after_gain <= results[k].relative_error);
    REQUIRE(results[k].relative_error_after_column_gain <= results[k].relative_error_after_gain);
  }
  REQUIRE(results.back().relative_error < 1e-12);
  REQUIRE_THAT(results.back().gain, WithinAbs(1, 1e-12));
}

TEST_CASE("surrogate/measure: figures depend on the seed, not on threads", "[surrogate]") {
  const CalibrationPoint point{.rows = 16, .columns = 16};
  const std::array models{ModelKind::ladder, ModelKind::ladder_ratio};
  const auto all_cores = measure(point, models);
  const xbar::OneThread one_thread;
  const auto one_core = measure(point, models);
  for (std::size_t k = 0; k < models.size(); ++k) {
    REQUIRE(same_figures(all_cores.at(k), one_core.at(k)));
  }
  const auto other = measure(point, models, {.seed = 2});
  REQUIRE(other.at(0).relative_error != all_cores.at(0).relative_error);
}

TEST_CASE("surrogate/measure: ratio members lie one update behind", "[surrogate]") {
  const std::array models{ModelKind::cell_ratio, ModelKind::ladder_ratio};
  for (const Measurement& fresh : measure({}, models, {.update_share = 0})) {
    REQUIRE(fresh.relative_error < 1e-12);
  }
  const auto results = measure({}, models, {.update_share = 0.05});
  REQUIRE(results[0].relative_error > 1e-3);
  REQUIRE(results[0].relative_error < 0.02);
  REQUIRE(results[1].relative_error < 0.004);  // the ladder follows the update, G does not
  REQUIRE(results[1].relative_error > 1e-5);
}

TEST_CASE("surrogate/measure: seconds of members", "[surrogate]") {
  const std::array models{ModelKind::ideal, ModelKind::operating_point, ModelKind::exact};
  const auto results = measure({}, models, {.arrays = 1});
  for (const Measurement& result : results) REQUIRE(result.effective_seconds > 0);
  // Measured: 0.3 us, 41 us, 0.24 ms; half of each factor and more is left for a busy machine.
  REQUIRE(results[1].refresh_seconds > 20 * results[0].effective_seconds);
  REQUIRE(results[2].effective_seconds > 2 * results[1].refresh_seconds);
}

TEST_CASE("surrogate/measure: no current, no error", "[surrogate]") {
  const Measurement result = measure_ideal({.rows = 3, .columns = 2}, Matrix::Zero(3, 2));
  REQUIRE(result.relative_error == 0);
  REQUIRE(result.gain == 1);
}

TEST_CASE("surrogate/measure: random arrays of each distribution", "[surrogate]") {
  CalibrationPoint point{.rows = 100, .columns = 100, .on_ohm = 1e4, .on_off_ratio = 2};
  // x = (G - g_min) / (g_max - g_min), g 50 to 100 uS; 10^4 cells, tolerances 4 standard errors.
  const auto shares = [&point](WeightDistribution distribution) {
    point.distribution = distribution;
    const Matrix array = xbar::surrogate::random_conductance(point, 1);
    return Eigen::ArrayXXd((array.array() - 5e-5) / 5e-5);
  };
  const Eigen::ArrayXXd uniform = shares(WeightDistribution::uniform);
  REQUIRE_THAT(uniform.mean(), WithinAbs(0.5, 0.012));  // sd 0.29
  REQUIRE(uniform.minCoeff() >= 0);
  REQUIRE(uniform.maxCoeff() > 0.99);
  const Eigen::ArrayXXd clustered = shares(WeightDistribution::clustered);
  REQUIRE_THAT(static_cast<double>((clustered < 1e-9).count()), WithinAbs(5000, 200));
  // E|normal| = sqrt(2/pi) = 0.798: half of 0.15 * 0.798.
  REQUIRE_THAT(clustered.mean(), WithinAbs(0.0598, 0.0035));
  const Eigen::ArrayXXd sparse = shares(WeightDistribution::sparse);
  REQUIRE_THAT(static_cast<double>((sparse < 1e-9).count()), WithinAbs(9000, 120));
  REQUIRE_THAT(sparse.mean(), WithinAbs(0.05, 0.007));  // sd 0.17
  REQUIRE(sparse.maxCoeff() > 0.9);
}

TEST_CASE("surrogate/measure: names of distributions", "[surrogate]") {
  for (const auto* name : {"uniform", "clustered", "sparse"}) {
    REQUIRE(xbar::surrogate::distribution_name(xbar::surrogate::parse_distribution(name)) == name);
  }
  REQUIRE(xbar::surrogate::parse_distribution("clustered") == WeightDistribution::clustered);
  REQUIRE_THAT(message_of<xbar::InvalidArgument>(
                   [] { (void)xbar::surrogate::parse_distribution("unifrom"); }),
               Contains("distribution") && Contains("did you mean uniform?"));
}

TEST_CASE("surrogate/measure: what is out of range is named", "[surrogate]") {
  const auto message = [](const CalibrationPoint& point, const MeasureOptions& options = {}) {
    return message_of<xbar::InvalidArgument>([&] { (void)measure(point, ideal_only, options); });
  };
  REQUIRE_THAT(message({.rows = 0}), Contains("rows") && Contains("got 0"));
  REQUIRE_THAT(message({.columns = 5000}), Contains("columns") && Contains("got 5000"));
  REQUIRE_THAT(message({.on_ohm = -1}), Contains("on-ohm"));
  REQUIRE_THAT(message({.on_off_ratio = 1}), Contains("on-off-ratio"));
  REQUIRE_THAT(message({.wires = {.source_ohm = -1}}), Contains("source"));
  REQUIRE_THAT(message({.density = 0}), Contains("density"));
  REQUIRE_THAT(message({.density = NAN}), Contains("density"));
  REQUIRE_THAT(message({.sinh_alpha = -1}), Contains("sinh-alpha"));
  REQUIRE_THAT(message({.input_volt = 0}), Contains("input-volt"));
  REQUIRE_THAT(message({}, {.arrays = 0}), Contains("arrays"));
  REQUIRE_THAT(message({}, {.inputs = 0}), Contains("inputs"));
  REQUIRE_THAT(message({}, {.update_share = 0.6}), Contains("update-share"));
  REQUIRE_THAT(
      message_of<xbar::InvalidArgument>([] { (void)measure_ideal({}, Matrix::Ones(2, 3)); }),
      Contains("64 x 64") && Contains("2 x 3"));
}
