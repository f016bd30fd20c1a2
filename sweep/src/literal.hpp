#pragma once

#include <string>

namespace xbar::sweep {

/// The fewest digits that read back to the same number, as a real number in TOML.
[[nodiscard]] std::string real_literal(double value);

}  // namespace xbar::sweep
