#pragma once

/// JSON as the cells of one row.

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace xbar::cli {

/// Numbers, texts and truth values of a document, with their places as names: {"wired":
/// [{"accuracy": 0.9}]} is wired.0.accuracy = 0.9. Of arrays of more than eight, and what is null,
/// nothing.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> flat(
    const nlohmann::ordered_json& document);

/// Whether such a name is of a time, a rate or the machine: runs of the same settings differ in it.
[[nodiscard]] bool is_incidental(const std::string& name);

}  // namespace xbar::cli
