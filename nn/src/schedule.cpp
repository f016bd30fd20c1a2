#include <array>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/schedule.hpp>

namespace xbar::nn {
namespace {

constexpr std::array<std::pair<std::string_view, ScheduleKind>, 3> kinds{{
    {"constant", ScheduleKind::constant},
    {"step", ScheduleKind::step},
    {"cosine", ScheduleKind::cosine},
}};

}  // namespace

void check_schedule(const Schedule& schedule) {
  if (schedule.step_epochs < 1) {
    throw InvalidArgument(
        fmt::format("schedule.step_epochs: expected >= 1, found {}", schedule.step_epochs));
  }
  if (!(schedule.step_factor > 0 && schedule.step_factor <= 1)) {
    throw InvalidArgument(fmt::format("schedule.step_factor: expected a value in (0, 1], found {}",
                                      schedule.step_factor));
  }
  if (!(schedule.final_fraction >= 0 && schedule.final_fraction <= 1)) {
    throw InvalidArgument(fmt::format(
        "schedule.final_fraction: expected a value in [0, 1], found {}", schedule.final_fraction));
  }
  if (schedule.warmup_epochs < 0) {
    throw InvalidArgument(
        fmt::format("schedule.warmup_epochs: expected >= 0, found {}", schedule.warmup_epochs));
  }
}

double learning_rate_at(const Schedule& schedule, double learning_rate, Index epoch, Index epochs) {
  switch (schedule.kind) {
    case ScheduleKind::constant:
      return learning_rate;
    case ScheduleKind::step:
      return learning_rate * std::pow(schedule.step_factor, epoch / schedule.step_epochs);
    case ScheduleKind::cosine: {
      const double phase =
          std::numbers::pi * static_cast<double>(epoch) / static_cast<double>(epochs);
      const double share = (1 + std::cos(phase)) / 2;
      return learning_rate * (schedule.final_fraction + (1 - schedule.final_fraction) * share);
    }
  }
  throw InvalidArgument("schedule.kind: expected constant, step or cosine, found another value");
}

double warmup_share(const Schedule& schedule, Index epoch, Index step, Index steps) {
  if (epoch >= schedule.warmup_epochs) return 1;
  return static_cast<double>(epoch * steps + step + 1) /
         static_cast<double>(schedule.warmup_epochs * steps);
}

std::string_view schedule_name(ScheduleKind kind) {
  for (const auto& [name, known] : kinds) {
    if (known == kind) return name;
  }
  throw InvalidArgument("schedule.kind: expected constant, step or cosine, found another value");
}

ScheduleKind schedule_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, kind] : kinds) {
    if (known == name) return kind;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("schedule: expected one of {}, found {}{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

}  // namespace xbar::nn
