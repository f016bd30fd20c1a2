#include "array_order_file.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::cli {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* output_key = "slot_of_output";
constexpr const char* input_key = "slot_of_input";

std::vector<Index> slots_of(const std::string& who, const Json& layer, const char* key) {
  const auto list = layer.is_object() ? layer.find(key) : layer.end();
  const bool fits =
      list != layer.end() && list->is_array() &&
      std::all_of(list->begin(), list->end(), [](const Json& slot) {
        return slot.is_number_integer() &&
               !(slot.is_number_unsigned() && slot.get<std::uint64_t>() > (std::uint64_t{1} << 62));
      });
  if (!fits) {
    throw InvalidArgument(
        fmt::format("{}: expected {{\"{}\": [whole numbers]}}, found something else", who, key));
  }
  return list->get<std::vector<Index>>();
}

}  // namespace

void read_array_order(const std::filesystem::path& file,
                      const std::vector<nn::CrossbarLayer>& layers) {
  const Json orders = Json::parse(read_file(file), nullptr, false);
  if (!orders.is_object()) {
    throw IoError(
        fmt::format("{}: expected a JSON object of layers, found something else", file.string()));
  }
  std::vector<std::string> names;
  for (const nn::CrossbarLayer& layer : layers) names.push_back(layer.name);
  for (const auto& [name, order] : orders.items()) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw InvalidArgument(fmt::format("{}: expected the layers of the network, found {}{}",
                                      file.string(), name, did_you_mean(name, names)));
  }
  for (const nn::CrossbarLayer& layer : layers) {
    const std::string who = fmt::format("{}: layer {}", file.string(), layer.name);
    const auto found = orders.find(layer.name);
    if (found == orders.end()) throw InvalidArgument(who + ": expected its order, found none");
    mapping::ArrayOrder order = layer.matrix->order();
    order.slot_of_output = slots_of(who, *found, output_key);
    if (found->contains(input_key)) order.slot_of_input = slots_of(who, *found, input_key);
    try {
      layer.matrix->set_order(order);
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(fmt::format("{}: {}", who, error.what()));
    }
  }
}

Json array_order_json(const std::vector<nn::CrossbarLayer>& layers) {
  Json orders = Json::object();
  for (const nn::CrossbarLayer& layer : layers) {
    orders[layer.name] = {{output_key, layer.matrix->column_order()},
                          {input_key, layer.matrix->row_order()}};
  }
  return orders;
}

}  // namespace xbar::cli
