#pragma once

/// The readers of each layout of pulse files.

#include <xbar/fit/pulse_data.hpp>

#include "text_table.hpp"

namespace xbar::fit {

[[nodiscard]] PulseData read_long(const TextTable& table);
[[nodiscard]] PulseData read_columns(const TextTable& table);
[[nodiscard]] PulseData read_ramps(const TextTable& table, const PulseLayoutOptions& options);
[[nodiscard]] PulseData read_aihwkit(const TextTable& table, const PulseLayoutOptions& options);

}  // namespace xbar::fit
