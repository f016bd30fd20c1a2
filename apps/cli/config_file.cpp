#include "config_file.hpp"

#include <algorithm>
#include <cstdint>
#include <sstream>

#include <fmt/format.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

#include "flags.hpp"
#include "parse_toml.hpp"

namespace xbar::cli {
namespace {

std::string as_text(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* whole = node.as_integer()) return fmt::format("{}", whole->get());
  if (const auto* real = node.as_floating_point()) return fmt::format("{}", real->get());
  throw InvalidArgument(fmt::format("{}: expected a number, a string or true/false", where));
}

// One value of a flag; in a list of lists the inner ones are values like "3,17".
std::string as_value(const toml::node& node, const std::string& where) {
  const toml::array* parts = node.as_array();
  if (parts == nullptr) return as_text(node, where);
  std::vector<std::string> texts;
  for (const toml::node& part : *parts) texts.push_back(as_text(part, where));
  return fmt::format("{}", fmt::join(texts, ","));
}

// A text that stands for a number or a truth value becomes one.
std::string toml_value(const std::string& text) {
  if (text == "true" || text == "false") return text;
  if (const auto whole = as_number<std::int64_t>(text)) return fmt::to_string(*whole);
  if (const auto real = as_number<double>(text)) return fmt::to_string(*real);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::vector<std::string> flag_values(const CLI::Option& option) {
  if (option.count() > 0) return option.results();
  std::string text = option.get_default_str();
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  std::vector<std::string> values;
  if (option.get_items_expected_max() <= 1) {
    if (!text.empty()) values.push_back(text);
    return values;
  }
  for (std::istringstream parts(text); std::getline(parts, text, ',');) values.push_back(text);
  return values;
}

std::string config_line(const CLI::Option& option, bool active) {
  const std::string key = option.get_lnames().front();
  std::vector<std::string> values;
  for (const std::string& text : flag_values(option)) values.push_back(toml_value(text));
  if (values.empty()) return fmt::format("# {}\n", key);
  const bool list = option.get_items_expected_max() > 1;
  return fmt::format("{}{} = {}{}{}\n", active ? "" : "# ", key, list ? "[" : "",
                     fmt::join(values, ", "), list ? "]" : "");
}

bool is_setting(const CLI::Option& option) {
  const std::string flag = option.get_name();
  return flag.rfind("--", 0) == 0 && flag != "--help" && flag != "--config" && flag != "--quiet" &&
         flag != "--verbose";
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

void apply_config(const std::filesystem::path& path, CLI::App& app) {
  apply_config(read_file(path), path.string(), app);
}

void apply_config(std::string_view text, const std::string& origin, CLI::App& app) {
  const toml::table table = parse_toml(text, origin);
  for (const auto& [toml_key, node] : table) {
    const std::string key(toml_key.str());
    std::string flag = "--" + key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    CLI::Option* option = app.get_option_no_throw(flag);
    if (option == nullptr || !is_setting(*option)) {
      std::vector<std::string> keys;
      for (const CLI::Option* other : app.get_options()) {
        if (is_setting(*other)) keys.push_back(other->get_name().substr(2));
      }
      throw InvalidArgument(
          fmt::format("{}: unknown key '{}'{}", origin, key, did_you_mean(key, keys)));
    }
    if (option->count() > 0) continue;  // the command line wins
    const std::string where = fmt::format("{}: key '{}'", origin, key);
    try {
      if (const toml::array* values = node.as_array()) {
        for (const toml::node& value : *values) option->add_result(as_value(value, where));
      } else if (const toml::table* entries = node.as_table()) {
        // [flag] NAME = VALUE is --flag NAME=VALUE.
        for (const auto& [name, value] : *entries) {
          option->add_result(fmt::format("{}={}", name.str(), as_text(value, where)));
        }
      } else {
        option->add_result(as_text(node, where));
      }
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw InvalidArgument(fmt::format("{}: {}", where, error.what()));
    }
  }
}

}  // namespace xbar::cli
