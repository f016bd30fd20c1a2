#pragma once

/// The files of presets/, as the build found them.

#include <span>
#include <string_view>

namespace xbar::device {

struct PresetText {
  std::string_view name;
  std::string_view text;
};

[[nodiscard]] std::span<const PresetText> preset_texts();

}  // namespace xbar::device
