#pragma once

/// The page of each command.

#include <xbar/report/page.hpp>

#include "run_file.hpp"

namespace xbar::report::pages {

[[nodiscard]] Page quickstart_page(const Run& run);
[[nodiscard]] Page train_page(const Run& run);
[[nodiscard]] Page validate_page(const Run& run);
[[nodiscard]] Page remap_page(const Run& run);
[[nodiscard]] Page device_page(const Run& run);
[[nodiscard]] Page program_page(const Run& run);
[[nodiscard]] Page fit_page(const Run& run);
[[nodiscard]] Page evaluate_page(const Run& run);
[[nodiscard]] Page sweep_page(const Run& run);
/// Two runs side by side, of any commands.
[[nodiscard]] Page comparison_page(const Run& a, const Run& b);

}  // namespace xbar::report::pages
