#include <xbar/core/error.hpp>
#include <xbar/nn/schedule.hpp>

#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar_test::WithinAbs;
using namespace xbar::nn;

TEST_CASE("nn/schedule: constant, step and cosine at points known by hand") {
  Schedule schedule;
  CHECK(learning_rate_at(schedule, 0.3, 7, 10) == 0.3);

  schedule = {.kind = ScheduleKind::step, .step_epochs = 3, .step_factor = 0.5};
  CHECK(learning_rate_at(schedule, 0.8, 0, 10) == 0.8);
  CHECK(learning_rate_at(schedule, 0.8, 2, 10) == 0.8);
  CHECK_THAT(learning_rate_at(schedule, 0.8, 3, 10), WithinAbs(0.4, 1e-15));
  CHECK_THAT(learning_rate_at(schedule, 0.8, 9, 10), WithinAbs(0.1, 1e-15));

  // cos is 1, 1/2, 0 and -1/2 at a share of 0, 1/3, 1/2 and 2/3 of the epochs.
  schedule = {.kind = ScheduleKind::cosine, .final_fraction = 0.2};
  CHECK_THAT(learning_rate_at(schedule, 1, 0, 6), WithinAbs(1, 1e-15));
  CHECK_THAT(learning_rate_at(schedule, 1, 2, 6), WithinAbs(0.2 + 0.8 * 0.75, 1e-15));
  CHECK_THAT(learning_rate_at(schedule, 1, 3, 6), WithinAbs(0.2 + 0.8 * 0.5, 1e-15));
  CHECK_THAT(learning_rate_at(schedule, 1, 4, 6), WithinAbs(0.2 + 0.8 * 0.25, 1e-15));
}

TEST_CASE("nn/schedule: warm-up grows step by step and ends with the schedule's own rate") {
  const Schedule schedule{.warmup_epochs = 2};
  // 2 epochs of 4 steps: eighths.
  CHECK(warmup_share(schedule, 0, 0, 4) == 0.125);
  CHECK(warmup_share(schedule, 0, 3, 4) == 0.5);
  CHECK(warmup_share(schedule, 1, 0, 4) == 0.625);
  CHECK(warmup_share(schedule, 1, 3, 4) == 1);
  CHECK(warmup_share(schedule, 2, 0, 4) == 1);
  CHECK(warmup_share({}, 0, 0, 4) == 1);
}

TEST_CASE("nn/schedule: names go both ways and a typing error is answered") {
  for (const auto kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine}) {
    CHECK(schedule_kind(schedule_name(kind)) == kind);
  }
  CHECK_THROWS_WITH(schedule_kind("cosin"), Contains("did you mean cosine?"));
}

TEST_CASE("nn/schedule: fields out of range are named") {
  CHECK_THROWS_WITH(check_schedule({.step_epochs = 0}), Contains("step_epochs"));
  CHECK_THROWS_WITH(check_schedule({.step_factor = 0}), Contains("step_factor"));
  CHECK_THROWS_WITH(check_schedule({.final_fraction = 1.5}), Contains("final_fraction"));
  CHECK_THROWS_WITH(check_schedule({.warmup_epochs = -1}), Contains("warmup_epochs"));
  CHECK_NOTHROW(check_schedule({}));
}
