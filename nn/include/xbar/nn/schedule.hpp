#pragma once

/// Learning rate by epoch.

#include <string>
#include <string_view>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

enum class ScheduleKind {
  constant,  ///< lr
  step,      ///< lr * factor^floor(epoch / step_epochs)
  cosine,    ///< lr * (final + (1 - final) * (1 + cos(pi * epoch / epochs)) / 2)
};

/// How the learning rate changes from epoch to epoch (epoch = 0, 1, ..., epochs - 1).
struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  Index step_epochs = 10;     ///< step: epochs between reductions, >= 1
  double step_factor = 0.1;   ///< step: factor of each reduction, in (0, 1]
  double final_fraction = 0;  ///< cosine: share of lr that is reached at the end, in [0, 1]
  Index warmup_epochs = 0;    ///< epochs over which lr also grows linearly from 0, >= 0

  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// @throws InvalidArgument naming the field that is out of range.
void check_schedule(const Schedule& schedule);

/// The learning rate of `epoch` by the formula of schedule.kind.
[[nodiscard]] double learning_rate_at(const Schedule& schedule, double learning_rate, Index epoch,
                                      Index epochs);

/// What the learning rate is multiplied by in `step` = 0 ... steps - 1 of `epoch` [Goyal2017]:
/// (epoch * steps + step + 1) / (warmup_epochs * steps), but at most 1. The schedule itself runs
/// from epoch 0 on, warm-up or not.
[[nodiscard]] double warmup_share(const Schedule& schedule, Index epoch, Index step, Index steps);

/// "constant", "step" or "cosine".
[[nodiscard]] std::string_view schedule_name(ScheduleKind kind);

/// The kind of that name. @throws InvalidArgument for an unknown one (suggests the nearest).
[[nodiscard]] ScheduleKind schedule_kind(std::string_view name);

}  // namespace xbar::nn
