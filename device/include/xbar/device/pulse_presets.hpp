#pragma once

/// Device files that come with xbar: devices of the literature, every number with its source.

#include <string>
#include <vector>

namespace xbar::device {

/// In alphabetical order.
[[nodiscard]] std::vector<std::string> preset_names();

/// The text of such a file.
/// @throws InvalidArgument for a name that is none, suggesting the nearest
[[nodiscard]] std::string preset_text(const std::string& name);

}  // namespace xbar::device
