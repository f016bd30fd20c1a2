#pragma once

#include <string_view>

namespace xbar::report {

/// The style sheet and the script that every page carries inline.
extern const std::string_view page_style;
extern const std::string_view page_script;

}  // namespace xbar::report
