#pragma once

#include <optional>
#include <string_view>

namespace xbar::sweep {

/// The whole of a cell as a number, if it is one.
[[nodiscard]] std::optional<double> number_in(std::string_view cell);

}  // namespace xbar::sweep
