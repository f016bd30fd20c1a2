#include "toml_table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar {
namespace {

std::string place_of(const std::string& file, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", file, source.begin.line, source.begin.column);
}

// In quotes, on one line and not too long.
std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 40;
  std::string result(text.substr(0, longest));
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; };
  std::replace_if(result.begin(), result.end(), is_control, '?');
  return fmt::format("'{}'{}", result, text.size() > longest ? "..." : "");
}

std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) return quoted(text->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  if (const auto* list = node.as_array()) return fmt::format("a list of {}", list->size());
  return node.is_table() ? "a table" : "a date or time";
}

std::optional<Index> whole_in(const toml::node& node, Index lowest, Index highest) {
  const auto* value = node.as_integer();
  if (value == nullptr || value->get() < lowest || value->get() > highest) return {};
  return static_cast<Index>(value->get());
}

std::string whole_words(Index lowest, Index highest) {
  return fmt::format("a whole number from {} to {}", lowest, highest);
}

}  // namespace

void TomlTable::refuse(const std::string& message) const {
  throw InvalidArgument(fmt::format("{}: {}", place_of(file_, table_.source()), message));
}

void TomlTable::check_keys(const std::string& owner, const std::vector<std::string>& keys) const {
  for (const auto& [key, node] : table_) {
    const std::string_view found = key.str();
    if (std::find(keys.begin(), keys.end(), found) != keys.end()) continue;
    throw InvalidArgument(fmt::format("{}: {}: expected one of the keys {}, found {}{}",
                                      place_of(file_, key.source()), owner, fmt::join(keys, ", "),
                                      quoted(found), did_you_mean(found, keys)));
  }
}

bool TomlTable::is_text(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node != nullptr && node->is_string();
}

bool TomlTable::is(std::string_view key, std::string_view text) const {
  const toml::node* node = table_.get(key);
  return node != nullptr && node->is_string() && node->as_string()->get() == text;
}

std::string TomlTable::text(std::string_view key,
                            const std::optional<std::string>& otherwise) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr && otherwise) return *otherwise;
  if (node == nullptr || !node->is_string()) refuse_key(key, "a text");
  return node->as_string()->get();
}

std::string TomlTable::choice(std::string_view key, const std::vector<std::string>& choices,
                              const std::optional<std::string>& otherwise) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr && otherwise) return *otherwise;
  const std::string expected = fmt::format("one of {}", fmt::join(choices, ", "));
  if (node == nullptr || !node->is_string()) refuse_key(key, expected);
  const std::string& found = node->as_string()->get();
  if (std::find(choices.begin(), choices.end(), found) == choices.end()) {
    refuse_key(key, expected, did_you_mean(found, choices));
  }
  return found;
}

bool TomlTable::flag(std::string_view key, bool otherwise) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return otherwise;
  if (!node->is_boolean()) refuse_key(key, "true or false");
  return node->as_boolean()->get();
}

double TomlTable::real(std::string_view key, std::optional<double> otherwise) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr && otherwise) return *otherwise;
  const std::optional<double> value = node == nullptr ? std::nullopt : node->value<double>();
  if (node == nullptr || !node->is_number() || !value) refuse_key(key, "a number");
  return *value;
}

Index TomlTable::whole(std::string_view key, Index lowest, Index highest,
                       std::optional<Index> otherwise) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr && otherwise) return *otherwise;
  const std::optional<Index> value =
      node == nullptr ? std::nullopt : whole_in(*node, lowest, highest);
  if (!value) refuse_key(key, whole_words(lowest, highest));
  return *value;
}

std::pair<Index, Index> TomlTable::whole_pair(std::string_view key, Index lowest,
                                              Index highest) const {
  const toml::node* node = table_.get(key);
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  std::optional<Index> first;
  std::optional<Index> second;
  if (list == nullptr) {
    if (node != nullptr) first = second = whole_in(*node, lowest, highest);
  } else if (list->size() == 2) {
    first = whole_in((*list)[0], lowest, highest);
    second = whole_in((*list)[1], lowest, highest);
  }
  if (!first || !second) refuse_key(key, whole_words(lowest, highest) + ", or a list of two");
  return {*first, *second};
}

std::vector<TomlTable> TomlTable::tables(std::string_view key, const std::string& what) const {
  const toml::node* node = table_.get(key);
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  if (list == nullptr || list->empty()) {
    refuse_key(key, fmt::format("a list of at least one {}", what));
  }
  std::vector<TomlTable> result;
  for (const toml::node& entry : *list) {
    if (!entry.is_table()) {
      throw InvalidArgument(fmt::format("{}: key '{}': expected a table for each {}, found {}",
                                        place_of(file_, entry.source()), key, what, shown(entry)));
    }
    result.emplace_back(file_, *entry.as_table());
  }
  return result;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) return {};
  if (!node->is_table()) refuse_key(key, "a table");
  return TomlTable(file_, *node->as_table());
}

Matrix TomlTable::numbers(std::string_view key) const {
  const std::string expected = "a list of numbers, or of such lists of one length";
  const toml::node* node = table_.get(key);
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  if (list == nullptr || list->empty()) refuse_key(key, expected);
  const toml::array* first = list->front().as_array();
  Matrix values(static_cast<Index>(list->size()),
                first == nullptr ? 1 : static_cast<Index>(first->size()));
  const auto take = [&](const toml::node& entry, Index row, Index column) {
    const std::optional<double> value = entry.value<double>();
    if (!entry.is_number() || !value) refuse_key(key, expected);
    values(row, column) = *value;
  };
  for (Index row = 0; row < values.rows(); ++row) {
    const toml::node& entry = (*list)[static_cast<std::size_t>(row)];
    const toml::array* inner = entry.as_array();
    if (first == nullptr) {
      take(entry, row, 0);
      continue;
    }
    if (inner == nullptr || inner->size() != first->size()) refuse_key(key, expected);
    for (Index column = 0; column < values.cols(); ++column) {
      take((*inner)[static_cast<std::size_t>(column)], row, column);
    }
  }
  return values;
}

void TomlTable::refuse_key(std::string_view key, const std::string& expected,
                           const std::string& more) const {
  const toml::node* node = table_.get(key);
  throw InvalidArgument(
      fmt::format("{}: key '{}': expected {}, found {}{}",
                  place_of(file_, node == nullptr ? table_.source() : node->source()), key,
                  expected, node == nullptr ? "none" : shown(*node), more));
}

}  // namespace xbar
