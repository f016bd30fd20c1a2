#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/surrogate_calibrate/calibrate.hpp>
#include <xbar/surrogate_calibrate/policy.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::Index;
using xbar::Matrix;
using xbar::surrogate::CalibrationPoint;
using xbar::surrogate::CalibrationRow;
using xbar::surrogate::CalibrationTable;
using xbar::surrogate::Choice;
using xbar::surrogate::choice_margin;
using xbar::surrogate::choose_from_table;
using xbar::surrogate::ModelKind;
using xbar_test::Contains;

namespace {

/// A row by hand.
void add(CalibrationTable& table, const CalibrationPoint& point, ModelKind model, double error,
         double seconds) {
  CalibrationRow row;
  row.point = point;
  row.measurement.model = model;
  row.measurement.relative_error = error;
  row.measurement.effective_seconds = seconds;
  table.rows.push_back(row);
}

CalibrationPoint side(Index n) {
  CalibrationPoint point;
  point.rows = point.columns = n;
  return point;
}

/// 32 and 64 wide, errors and seconds made up.
CalibrationTable two_sizes() {
  CalibrationTable table;
  for (const Index n : {32, 64}) {
    const double harder = n == 32 ? 1 : 4;
    add(table, side(n), ModelKind::exact, 0, 1e-3 * harder);
    add(table, side(n), ModelKind::ladder, 0.01 * harder, 4e-6 * harder);
    add(table, side(n), ModelKind::ideal, 0.1 * harder, 1e-7 * harder);
    add(table, side(n), ModelKind::jeong, 1e-9, 1e-9);            // a rival
    add(table, side(n), ModelKind::operating_point, 1e-9, 1e-9);  // with a state of its own
  }
  return table;
}

std::string message(const CalibrationTable& table, const CalibrationPoint& point,
                    double tolerance) {
  return xbar_test::message_of<xbar::InvalidArgument>(
      [&] { (void)choose_from_table(table, point, tolerance); });
}

/// The chosen member's error on arrays that nobody has seen.
double fresh_error(const CalibrationPoint& point, ModelKind model, std::uint64_t seed) {
  const Matrix array = xbar::surrogate::random_conductance(point, seed);
  return xbar::surrogate::current_error(
             xbar::surrogate::effective_conductance(model, array, point.wires),
             xbar::surrogate::effective_conductance(ModelKind::exact, array, point.wires),
             xbar::surrogate::random_sparse_inputs(point.rows, 64, seed, point.density))
      .relative;
}

}  // namespace

TEST_CASE("surrogate/policy: the cheapest that meets the tolerance, with a margin", "[surrogate]") {
  const CalibrationTable table = two_sizes();
  // 32: ideal 0.1, ladder 0.01, exact 0, each times 2.
  REQUIRE(choose_from_table(table, side(32), 0.201).model == ModelKind::ideal);
  REQUIRE(choose_from_table(table, side(32), 0.199).model == ModelKind::ladder);
  const Choice ladder = choose_from_table(table, side(32), 0.0201);
  REQUIRE(ladder.model == ModelKind::ladder);
  REQUIRE(ladder.relative_error == 0.01);
  REQUIRE(ladder.seconds == 4e-6);
  REQUIRE_THAT(ladder.reason,
               Contains("ladder") && Contains("0.01 at 32 x 32") && Contains("4 us an array"));
  REQUIRE(choose_from_table(table, side(32), 0.0199).model == ModelKind::exact);
}

TEST_CASE("surrogate/policy: between points the harder one counts", "[surrogate]") {
  const CalibrationTable table = two_sizes();
  // 33 wide: as 64 wide, where the ladder has 0.04.
  REQUIRE(choose_from_table(table, side(33), 0.081).relative_error == 0.04);
  REQUIRE(choose_from_table(table, side(33), 0.079).model == ModelKind::exact);
  // Easier than the whole table: as its easiest point.
  REQUIRE(choose_from_table(table, side(8), 0.0201).relative_error == 0.01);
  // Resistances count as shares of on_ohm: ten times all of them is the same technology.
  CalibrationPoint scaled = side(32);
  scaled.on_ohm *= 10;
  scaled.wires = {1000, 1000, 10, 10};
  REQUIRE(choose_from_table(table, scaled, 0.0201).relative_error == 0.01);
  // The lower neighbour counts too where it has the larger error.
  CalibrationTable odd = two_sizes();
  odd.rows[1].measurement.relative_error = 0.05;  // ladder at 32
  REQUIRE(choose_from_table(odd, side(33), 0.11).relative_error == 0.05);
}

TEST_CASE("surrogate/policy: both neighbours in density and on/off ratio", "[surrogate]") {
  CalibrationTable table;
  for (const double density : {0.1, 0.5, 1.0}) {
    CalibrationPoint point = side(32);
    point.density = density;
    add(table, point, ModelKind::ladder, density == 0.1 ? 0.03 : 0.01, 4e-6);
  }
  CalibrationPoint asked = side(32);
  asked.density = 0.3;
  REQUIRE(choose_from_table(table, asked, 1).relative_error == 0.03);
  asked.density = 0.7;
  REQUIRE(choose_from_table(table, asked, 1).relative_error == 0.01);
  asked.density = 0.05;
  REQUIRE_THAT(message(table, asked, 1), Contains("density = 0.05") && Contains("0.1 to 1"));
  asked.density = 0.5;
  asked.on_off_ratio = 20;
  REQUIRE_THAT(message(table, asked, 1), Contains("on-off-ratio = 20") && Contains("10 to 10"));
  asked.on_off_ratio = 10;
  asked.sinh_alpha = 2;
  REQUIRE_THAT(message(table, asked, 1), Contains("sinh-alpha * input-volt = 0.4"));
}

TEST_CASE("surrogate/policy: what a table does not reach is named with its range", "[surrogate]") {
  const CalibrationTable table = two_sizes();
  REQUIRE_THAT(message(table, side(65), 0.1), Contains("rows = 65") && Contains("32 to 64"));
  CalibrationPoint point = side(32);
  point.wires.bitline_ohm = 2;
  REQUIRE_THAT(message(table, point, 0.1),
               Contains("bitline-ohm / on-ohm = 0.0001") && Contains("5e-05 to 5e-05"));
  point = side(32);
  point.distribution = xbar::surrogate::WeightDistribution::sparse;
  REQUIRE_THAT(message(table, point, 0.1), Contains("sparse") && Contains("got uniform"));
  REQUIRE_THAT(message({}, side(32), 0.1), Contains("got none"));
  REQUIRE_THAT(message(table, side(32), 0), Contains("tolerance"));
  CalibrationTable no_exact;
  add(no_exact, side(32), ModelKind::ladder, 0.01, 4e-6);
  REQUIRE_THAT(message(no_exact, side(32), 1e-3), Contains("ladder") && Contains("0.01"));
  // Someone's own rows, without seconds, are not to choose among.
  CalibrationTable measured = two_sizes();
  for (CalibrationRow& row : measured.rows) row.measured = true;
  REQUIRE_THAT(message(measured, side(32), 0.1), Contains("got none"));
}

TEST_CASE("surrogate/policy: a member chosen from a table meets the tolerance", "[surrogate]") {
  using xbar::surrogate::WeightDistribution;
  std::vector<ModelKind> models;
  for (const auto& info : xbar::surrogate::model_infos()) {
    if (xbar::surrogate::may_be_chosen(info.kind)) models.push_back(info.kind);
  }
  REQUIRE(models == std::vector<ModelKind>{ModelKind::ideal, ModelKind::closed_form,
                                           ModelKind::ladder, ModelKind::sneak_ladder,
                                           ModelKind::exact});
  constexpr std::array distributions{WeightDistribution::uniform, WeightDistribution::clustered,
                                     WeightDistribution::sparse};
  CalibrationTable table;
  for (const Index n : {8, 24, 64}) {
    for (const double line : {0.1, 1.0, 5.0}) {
      for (const WeightDistribution distribution : distributions) {
        for (const double density : {0.2, 1.0}) {
          CalibrationPoint point = side(n);
          point.wires.wordline_ohm = point.wires.bitline_ohm = line;
          point.distribution = distribution;
          point.density = density;
          for (const auto& figures : xbar::surrogate::measure(point, models)) {
            table.rows.push_back({point, false, figures});
          }
        }
      }
    }
  }
  // At the table's own points, with a tolerance that a member just meets: nothing but the margin is
  // left for other arrays.
  for (const CalibrationRow& row : table.rows) {
    const double tolerance = choice_margin * (1 + 1e-9) * row.measurement.relative_error;
    if (!(tolerance > 1e-9)) continue;  // exact
    const Choice choice = choose_from_table(table, row.point, tolerance);
    const double error = fresh_error(row.point, choice.model, 500);
    CAPTURE(tolerance, choice.reason, row.point.density, error);
    CHECK(error <= tolerance);
  }
  // And in between.
  const xbar::RandomStream draws(3, "policy-points");
  std::array<int, 13> chosen{};
  for (std::uint64_t k = 0; k < 60; ++k) {
    const xbar::RandomStream draw = draws.substream(k);
    CalibrationPoint point;
    point.rows = 8 + static_cast<Index>(draw.below(0, 57));
    point.columns = 8 + static_cast<Index>(draw.below(1, 57));
    point.on_ohm = 20e3 * std::pow(10, draw.uniform(2));
    point.wires = {draw.uniform(3, 0, 100), draw.uniform(4, 0, 100), draw.uniform(5, 0, 5),
                   draw.uniform(6, 0, 5)};
    point.distribution = distributions.at(draw.below(7, 3));
    point.density = draw.uniform(8, 0.2, 1);
    const double tolerance = std::pow(10, draw.uniform(9, -4, -0.5));
    const Choice choice = choose_from_table(table, point, tolerance);
    const double error = fresh_error(point, choice.model, 1000 + k);
    CAPTURE(k, point.rows, point.columns, tolerance, choice.reason, error);
    REQUIRE(error <= tolerance);
    ++chosen.at(static_cast<std::size_t>(choice.model));
  }
  // Neither always the safest nor always the same.
  REQUIRE(chosen[static_cast<std::size_t>(ModelKind::exact)] < 20);
  REQUIRE(chosen[static_cast<std::size_t>(ModelKind::ideal)] > 0);
  REQUIRE(chosen[static_cast<std::size_t>(ModelKind::sneak_ladder)] > 0);
}
