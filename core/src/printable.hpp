#pragma once

/// Text of unknown origin made fit for an error message.

#include <string>
#include <string_view>

namespace xbar::detail {

/// `text` in single quotes, control and non-ASCII bytes as \xNN, cut to 40 bytes with "..." after.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace xbar::detail
