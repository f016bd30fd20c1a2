#include <algorithm>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/validation/update_study.hpp>

#include "support/catch.hpp"

using xbar::surrogate::CalibrationPoint;
using xbar::surrogate::ModelKind;
using xbar::validation::stated_limits;
using xbar::validation::Update;
using xbar::validation::update_study;
using xbar::validation::UpdateRow;

namespace {

double error(const std::vector<UpdateRow>& rows, ModelKind model, Update update) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const UpdateRow& r) {
    return r.model == model && r.update == update;
  });
  REQUIRE(row != rows.end());
  REQUIRE(row->error.mean > 0);
  REQUIRE(row->error.worst >= row->error.mean);
  return row->error.relative;
}

}  // namespace

TEST_CASE("validation/update_study: the stated limits hold for the sneak ladder", "[validation]") {
  // Fresh and after updates; it needs no measurement, so that an update costs it nothing. The
  // ladder breaks the first one twelvefold, so that they are limits.
  const std::vector<ModelKind> models{ModelKind::ladder, ModelKind::operating_point,
                                      ModelKind::sneak_ladder, ModelKind::ladder_ratio};
  REQUIRE(stated_limits().size() == 10);
  for (const auto& limit : stated_limits()) {
    CalibrationPoint point;
    point.on_ohm = limit.on_ohm;
    point.distribution = limit.distribution;
    const auto rows = update_study(point, models, {.arrays = 2, .inputs = 32});
    CAPTURE(limit.on_ohm, distribution_name(limit.distribution), update_name(limit.update));
    REQUIRE(error(rows, ModelKind::sneak_ladder, limit.update) <= limit.relative_error);
    REQUIRE(error(rows, ModelKind::ladder, limit.update) > limit.relative_error);
    if (limit.update == Update::random) {
      REQUIRE(error(rows, ModelKind::ladder_ratio, limit.update) <= limit.relative_error);
    }
  }
}

TEST_CASE("validation/update_study: what a measurement holds ages", "[validation]") {
  CalibrationPoint point;
  point.rows = point.columns = 32;
  const std::vector<ModelKind> models{ModelKind::operating_point, ModelKind::cell_ratio,
                                      ModelKind::sneak_ratio};
  const auto rows = update_study(point, models, {.arrays = 1, .inputs = 16});
  REQUIRE(rows.size() == 12);
  const auto of = [&](ModelKind model, Update update) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const UpdateRow& r) {
      return r.model == model && r.update == update;
    });
    return row->error.relative;
  };
  // What the operating point holds ages least, the cells' ratios most.
  for (const Update update : {Update::up, Update::down}) {
    for (const ModelKind model : models) {
      CAPTURE(model_name(model));
      REQUIRE(of(model, Update::none) < of(model, update));
    }
    REQUIRE(of(ModelKind::cell_ratio, update) > of(ModelKind::operating_point, update));
    // Cells that all go one way change the common loss; at random it averages out.
    REQUIRE(of(ModelKind::cell_ratio, update) > of(ModelKind::cell_ratio, Update::random));
  }
  // Just refreshed, a ratio is exact.
  for (const UpdateRow& row : rows) {
    if (row.update == Update::none && row.model != ModelKind::operating_point) {
      REQUIRE(row.error.relative <= 1e-12);
    }
  }
}

TEST_CASE("validation/update_study: refuses what it cannot measure", "[validation]") {
  const std::vector<ModelKind> models{ModelKind::ladder};
  CalibrationPoint point;
  REQUIRE_THROWS_AS(update_study(point, models, {.arrays = 0}), xbar::InvalidArgument);
  REQUIRE_THROWS_AS(update_study(point, models, {.inputs = 0}), xbar::InvalidArgument);
  point.sinh_alpha = 2;
  REQUIRE_THROWS_AS(update_study(point, models), xbar::InvalidArgument);
}
