#include "run_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

namespace xbar::report::pages {
namespace fs = std::filesystem;

Value Value::of_file(const fs::path& path) {
  const std::string bytes = read_file(path);
  try {
    return {std::make_shared<const Json>(Json::parse(bytes)),
            std::make_shared<const std::string>(path.string()), ""};
  } catch (const Json::exception& error) {
    throw IoError(fmt::format("{}: expected JSON: {}", path.string(), error.what()));
  }
}

std::vector<Value> Value::of_lines(const fs::path& path) {
  const std::string bytes = read_file(path);
  std::vector<Value> lines;
  std::size_t start = 0;
  for (std::size_t end = bytes.find('\n'); end != std::string::npos;
       start = end + 1, end = bytes.find('\n', start)) {
    const std::string place = fmt::format("{}:{}", path.string(), lines.size() + 1);
    try {
      lines.push_back({std::make_shared<const Json>(Json::parse(bytes.substr(start, end - start))),
                       std::make_shared<const std::string>(place), ""});
    } catch (const Json::exception& error) {
      throw IoError(fmt::format("{}: expected JSON: {}", place, error.what()));
    }
  }
  return lines;
}

Value Value::child(const Json& json, std::string key) const {
  return {std::shared_ptr<const Json>(json_, &json), file_, std::move(key)};
}

Value Value::at(std::string_view key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(std::string(key));
  std::string path = key_.empty() ? std::string(key) : fmt::format("{}.{}", key_, key);
  if (found == json_->end()) {
    throw IoError(fmt::format("{}: {}: expected a value, found none", *file_, path));
  }
  return child(*found, std::move(path));
}

std::optional<Value> Value::find(std::string_view key) const {
  if (!json_->is_object()) refuse("an object");
  const auto found = json_->find(std::string(key));
  if (found == json_->end() || found->is_null()) return {};
  return at(key);
}

double Value::number() const {
  if (json_->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!json_->is_number()) refuse("a number");
  return json_->get<double>();
}

long long Value::count() const {
  constexpr double largest = 1e15;  // doubles still tell whole numbers apart
  const double value = number();
  if (!(value >= 0) || !(value <= largest) || value != std::floor(value)) {
    fail("a whole number >= 0", json_->is_null() ? "null" : fmt::format("{}", value));
  }
  return static_cast<long long>(value);
}

std::string Value::text() const {
  if (!json_->is_string()) refuse("text");
  return json_->get<std::string>();
}

bool Value::truth() const {
  if (!json_->is_boolean()) refuse("true or false");
  return json_->get<bool>();
}

std::vector<Value> Value::items() const {
  if (!json_->is_array()) refuse("a list");
  std::vector<Value> values;
  values.reserve(json_->size());
  for (std::size_t k = 0; k < json_->size(); ++k) {
    values.push_back(child((*json_)[k], fmt::format("{}[{}]", key_, k)));
  }
  return values;
}

std::vector<double> Value::numbers() const {
  std::vector<double> values;
  for (const Value& item : items()) values.push_back(item.number());
  return values;
}

std::vector<std::pair<std::string, Value>> Value::members() const {
  if (!json_->is_object()) refuse("an object");
  std::vector<std::pair<std::string, Value>> values;
  for (const auto& [key, value] : json_->items()) {
    values.emplace_back(key, child(value, key_.empty() ? key : fmt::format("{}.{}", key_, key)));
  }
  return values;
}

namespace {

// What tells the items of a list apart.
std::string item_name(const nlohmann::ordered_json& item, std::size_t place) {
  if (item.is_object()) {
    for (const char* key : {"name", "strategy", "model"}) {
      const auto found = item.find(key);
      if (found != item.end() && found->is_string()) return found->get<std::string>();
    }
  }
  return fmt::format("{}", place + 1);
}

void collect(const nlohmann::ordered_json& json, const std::string& path,
             std::vector<std::pair<std::string, double>>& found) {
  constexpr std::size_t longest_list = 64;
  const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (json.is_number()) {
    found.emplace_back(path, json.get<double>());
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items()) collect(value, below(key), found);
  } else if (json.is_array() && json.size() <= longest_list) {
    std::set<std::string> taken;
    for (std::size_t k = 0; k < json.size(); ++k) {
      std::string name = item_name(json[k], k);
      if (!taken.insert(name).second) name += fmt::format(" {}", k + 1);
      collect(json[k], below(name), found);
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, double>> Value::numbers_below() const {
  std::vector<std::pair<std::string, double>> found;
  collect(*json_, "", found);
  return found;
}

void Value::fail(std::string_view expected, std::string_view found) const {
  throw IoError(fmt::format("{}: {}: expected {}, found {}", *file_,
                            key_.empty() ? "content" : key_, expected, found));
}

void Value::refuse(std::string_view expected) const { fail(expected, json_->type_name()); }

std::optional<Value> Run::part(std::string_view key) const {
  return finished ? results.at(key) : results.find(key);
}

fs::path Run::file(const Value& name) const {
  const std::string text = name.text();
  const fs::path path(text);
  if (path.empty() || path.is_absolute() ||
      std::any_of(path.begin(), path.end(), [](const fs::path& p) { return p == ".."; })) {
    name.fail("the name of a file inside the folder", fmt::format("'{}'", text));
  }
  return folder / path;
}

Run read_run(const fs::path& folder) {
  const Value root = Value::of_file(folder / "run.json");
  Run run{folder, root.text("xbar"), root.text("command"), root.at("finished").truth(),
          {},     root.at("results")};
  for (const auto& [key, value] : root.at("settings").members()) {
    const std::string text = value.text();
    if (!text.empty()) run.settings.emplace_back(key, text);
  }
  return run;
}

}  // namespace xbar::report::pages
