#include "flat_json.hpp"

#include <string_view>

namespace xbar::cli {
namespace {

constexpr std::size_t longest_array = 8;

void add(const nlohmann::ordered_json& node, const std::string& name,
         std::vector<std::pair<std::string, std::string>>& cells) {
  const std::string before = name.empty() ? "" : name + ".";
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) add(value, before + key, cells);
  } else if (node.is_array()) {
    if (node.size() > longest_array) return;
    for (std::size_t k = 0; k < node.size(); ++k) add(node[k], before + std::to_string(k), cells);
  } else if (node.is_string()) {
    cells.emplace_back(name, node.get<std::string>());
  } else if (!node.is_null()) {
    cells.emplace_back(name, node.dump());
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> flat(const nlohmann::ordered_json& document) {
  std::vector<std::pair<std::string, std::string>> cells;
  add(document, "", cells);
  return cells;
}

bool is_incidental(const std::string& name) {
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  for (const std::string_view word : {"seconds", "per_second", "time_share"}) {
    if (last.find(word) != std::string_view::npos) return true;
  }
  return name.starts_with("machine.") || name.find("phase_seconds.") != std::string::npos;
}

}  // namespace xbar::cli
