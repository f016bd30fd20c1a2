#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/sweep/study.hpp>

#include "literal.hpp"
#include "parse_toml.hpp"

namespace xbar::sweep {
namespace {

constexpr std::int64_t most_points = 1'000'000;

[[noreturn]] void refuse(const std::string& origin, const std::string& key,
                         const std::string& expected) {
  throw InvalidArgument(fmt::format("{}: {}: expected {}", origin, key, expected));
}

void check_keys(const toml::table& table, const std::vector<std::string>& known,
                const std::string& origin) {
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw InvalidArgument(
          fmt::format("{}: unknown key '{}'{}", origin, name, did_you_mean(name, known)));
    }
  }
}

std::string literal(const toml::node& node);

std::string key_text(std::string_view key) {
  constexpr std::string_view bare =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  if (!key.empty() && key.find_first_not_of(bare) == std::string_view::npos) {
    return std::string(key);
  }
  return literal(toml::value<std::string>(std::string(key)));
}

// As TOML writes it, on one line.
std::string literal(const toml::node& node) {
  std::vector<std::string> parts;
  if (const toml::array* values = node.as_array()) {
    for (const toml::node& value : *values) parts.push_back(literal(value));
    return parts.empty() ? "[]" : fmt::format("[ {} ]", fmt::join(parts, ", "));
  }
  if (const toml::table* entries = node.as_table()) {
    for (const auto& [key, value] : *entries) {
      parts.push_back(fmt::format("{} = {}", key_text(key.str()), literal(value)));
    }
    return parts.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(parts, ", "));
  }
  if (const auto* real = node.as_floating_point()) return real_literal(real->get());
  std::ostringstream text;
  node.visit([&](const auto& value) {
    text << toml::toml_formatter{value, toml::format_flags::none};
  });
  return text.str();
}

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

Setting setting_of(const toml::table& table) {
  Setting setting;
  for (const auto& [key, node] : table) {
    setting.emplace_back(flag_of(std::string(key.str())), literal(node));
  }
  return setting;
}

double number_of(const toml::table& range, const char* what, const std::string& origin,
                 const std::string& key) {
  const auto value = range[what].value<double>();
  if (!value) refuse(origin, fmt::format("key '{}'", key), fmt::format("{} = a number", what));
  return *value;
}

SweptKey swept_key(const std::string& name, const toml::node& node, const std::string& origin) {
  SweptKey key;
  key.name = flag_of(name);
  const std::string where = fmt::format("key '{}'", name);
  if (const toml::array* values = node.as_array()) {
    if (values->empty()) refuse(origin, where, "one value or more, got an empty list");
    for (const toml::node& value : *values) key.values.push_back(literal(value));
    return key;
  }
  const toml::table* range = node.as_table();
  if (range == nullptr) {
    refuse(origin, where, "a list of values or {low = ..., high = ...}");
  }
  check_keys(*range, {"low", "high", "scale", "whole"}, fmt::format("{}: {}", origin, where));
  key.low = number_of(*range, "low", origin, name);
  key.high = number_of(*range, "high", origin, name);
  const std::string scale = (*range)["scale"].value_or(std::string("linear"));
  if (scale != "linear" && scale != "logarithmic") {
    refuse(origin, where, fmt::format("scale = linear or logarithmic, got '{}'", scale));
  }
  key.is_logarithmic = scale == "logarithmic";
  key.is_whole = (*range)["whole"].value_or(false);
  return key;
}

std::vector<std::uint64_t> seeds_of(const toml::node_view<const toml::node>& node,
                                    const std::string& origin) {
  std::vector<std::uint64_t> seeds;
  if (!node) return seeds;
  const std::string expected =
      fmt::format("a whole number from 1 to {}, or a list of seeds", most_points);
  if (const auto count = node.value_exact<std::int64_t>()) {
    if (*count < 1 || *count > most_points) refuse(origin, "seeds", expected);
    for (std::int64_t k = 1; k <= *count; ++k) seeds.push_back(static_cast<std::uint64_t>(k));
    return seeds;
  }
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty()) refuse(origin, "seeds", expected);
  for (const toml::node& one : *list) {
    const auto seed = one.value_exact<std::int64_t>();
    if (!seed || *seed < 0) refuse(origin, "seeds", expected);
    seeds.push_back(static_cast<std::uint64_t>(*seed));
  }
  return seeds;
}

Design design_of(const toml::table& table, const std::string& origin) {
  check_keys(table, {"sampling", "samples", "seed", "seeds", "keys", "points"},
             origin + ": [sweep]");
  Design design;
  design.sampling = parse_sampling(table["sampling"].value_or(std::string("grid")));
  const bool is_drawn =
      design.sampling == Sampling::random || design.sampling == Sampling::latin_hypercube;
  for (const char* key : {"samples", "seed"}) {
    if (!is_drawn && table.contains(key)) {
      refuse(origin, fmt::format("[sweep] {}", key), "it with random and latin-hypercube only");
    }
  }
  if (is_drawn) {
    const auto samples = table["samples"].value_exact<std::int64_t>();
    if (!samples) refuse(origin, "[sweep] samples", "a whole number");
    design.samples = *samples;
    const auto seed = table["seed"].value<std::int64_t>();
    if (table.contains("seed") && (!seed || *seed < 0)) {
      refuse(origin, "[sweep] seed", "a whole number, 0 or more");
    }
    design.seed = static_cast<std::uint64_t>(seed.value_or(1));
  }
  const bool is_list = design.sampling == Sampling::list;
  if (table.contains(is_list ? "keys" : "points")) {
    refuse(
        origin, "[sweep]",
        is_list ? "[[sweep.points]] for a list, got keys" : "points for sampling = \"list\" only");
  }
  if (is_list) {
    const toml::array* points = table["points"].as_array();
    if (points == nullptr) refuse(origin, "[sweep]", "tables [[sweep.points]] for a list");
    for (const toml::node& point : *points) {
      const toml::table* entries = point.as_table();
      if (entries == nullptr) refuse(origin, "[sweep] points", "tables [[sweep.points]]");
      design.list.push_back(setting_of(*entries));
    }
    return design;
  }
  if (!table.contains("keys")) return design;  // seeds alone
  const toml::table* keys = table["keys"].as_table();
  if (keys == nullptr) refuse(origin, "[sweep] keys", "a table [sweep.keys]");
  for (const auto& [name, node] : *keys) {
    design.keys.push_back(swept_key(std::string(name.str()), node, origin));
  }
  return design;
}

void check_overlap(const Study& study, const std::string& origin) {
  std::set<std::string> shared;
  for (const auto& [key, value] : study.flags) shared.insert(key);
  const auto check = [&](const std::string& key) {
    if (shared.contains(key)) {
      throw InvalidArgument(
          fmt::format("{}: key '{}': expected in [flags] or swept, found in both", origin, key));
    }
    if (key == "seed" && !study.seeds.empty()) {
      throw InvalidArgument(
          fmt::format("{}: key 'seed': expected it or [sweep] seeds, found both", origin));
    }
  };
  for (const SweptKey& key : study.design.keys) check(key.name);
  for (const Setting& setting : study.design.list) {
    for (const auto& [key, value] : setting) check(key);
  }
  if (!study.seeds.empty() && shared.contains("seed")) check("seed");
}

// FNV-1a: points are told apart by it, nothing rests on nobody finding two alike.
std::string digits_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

Point point_of(const Study& study, Setting swept) {
  std::map<std::string, std::string> lines(study.flags.begin(), study.flags.end());
  for (const auto& [key, value] : swept) lines[key] = value;
  Point point;
  for (const auto& [key, value] : lines) point.config += fmt::format("{} = {}\n", key, value);
  point.identity = digits_of(study.command + "\n" + point.config);
  point.swept = std::move(swept);
  return point;
}

}  // namespace

Study parse_study(std::string_view text, const std::string& origin) {
  const toml::table table = parse_toml(text, origin);
  check_keys(table, {"command", "flags", "sweep"}, origin);
  Study study;
  const auto command = table["command"].value<std::string>();
  if (!command) refuse(origin, "command", "the name of a command of xbar, as \"evaluate\"");
  study.command = *command;
  if (table.contains("flags")) {
    const toml::table* flags = table["flags"].as_table();
    if (flags == nullptr) refuse(origin, "flags", "a table [flags]");
    study.flags = setting_of(*flags);
  }
  const toml::table* sweep = table["sweep"].as_table();
  if (sweep == nullptr) refuse(origin, "sweep", "a table [sweep]");
  study.design = design_of(*sweep, origin);
  study.seeds = seeds_of((*sweep)["seeds"], origin);
  if (study.design.keys.empty() && study.design.list.empty() && study.seeds.empty()) {
    refuse(origin, "[sweep]", "[sweep.keys], [[sweep.points]] or seeds, found none");
  }
  check_overlap(study, origin);
  return study;
}

std::vector<Point> points_of(const Study& study) {
  std::vector<Point> points;
  std::set<std::string> seen;
  const std::vector<Setting> settings = settings_of(study.design);
  const std::size_t runs = std::max<std::size_t>(study.seeds.size(), 1);
  if (settings.size() * runs > static_cast<std::size_t>(most_points)) {
    throw InvalidArgument(
        fmt::format("sweep: expected {} points or fewer, got {} settings of {} seeds", most_points,
                    settings.size(), runs));
  }
  for (const Setting& setting : settings) {
    for (std::size_t k = 0; k < runs; ++k) {
      Setting swept = setting;
      if (!study.seeds.empty()) swept.emplace_back("seed", fmt::to_string(study.seeds[k]));
      Point point = point_of(study, std::move(swept));
      // A value given twice, or drawn twice from few, is run once.
      if (seen.insert(point.identity).second) points.push_back(std::move(point));
    }
  }
  return points;
}

}  // namespace xbar::sweep
