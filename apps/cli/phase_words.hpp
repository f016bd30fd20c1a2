#pragma once

/// Where the time of a training went, as JSON and in words.

#include <string>

#include <xbar/nn/phase_times.hpp>

#include "run_folder.hpp"

namespace xbar::cli {

/// Seconds by name.
[[nodiscard]] Json to_json(const nn::PhaseTimes& times);

/// "data 1.2 s (10 %), forward 4.0 s (33 %), ...": phases that took no time are left out.
[[nodiscard]] std::string phase_words(const nn::PhaseTimes& times);

}  // namespace xbar::cli
