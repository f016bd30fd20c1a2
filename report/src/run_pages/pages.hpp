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

}  // namespace xbar::report::pages
