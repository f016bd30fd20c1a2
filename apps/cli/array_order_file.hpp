#pragma once

/// The order of the columns and rows as a file: an object of layers, {"conv1": {"slot_of_output":
/// [2, 0, 1], "slot_of_input": [0, 1]}}; without the second rows are as trained.

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/nn/crossbar_mapping.hpp>

namespace xbar::cli {

/// Puts the columns of a network on arrays into the file's order.
/// @throws IoError for what is not such a file; InvalidArgument naming the file and the layer for a
///         layer that is missing or unknown, and for an order that the layer cannot have
void read_array_order(const std::filesystem::path& file,
                      const std::vector<nn::CrossbarLayer>& layers);

/// The order of the columns, as above.
[[nodiscard]] nlohmann::ordered_json array_order_json(const std::vector<nn::CrossbarLayer>& layers);

}  // namespace xbar::cli
