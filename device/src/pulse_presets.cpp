#include <algorithm>

#include <fmt/format.h>

#include <xbar/device/pulse_presets.hpp>

#include "parameter_values.hpp"
#include "preset_texts.hpp"

namespace xbar::device {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const PresetText& preset : preset_texts()) names.emplace_back(preset.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string preset_text(const std::string& name) {
  for (const PresetText& preset : preset_texts()) {
    if (preset.name == name) return std::string(preset.text);
  }
  refuse_model_name("device preset", name, preset_names());
}

}  // namespace xbar::device
