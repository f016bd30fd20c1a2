#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/sweep/design.hpp>

#include "literal.hpp"

namespace xbar::sweep {
namespace {

const std::array<std::string, 4> names = {"grid", "list", "random", "latin-hypercube"};
constexpr Index most_settings = 1'000'000;

void check_range(const SweptKey& key) {
  if (!(std::isfinite(key.low) && std::isfinite(key.high) && key.low < key.high)) {
    throw InvalidArgument(
        fmt::format("key '{}': expected low < high, got {} and {}", key.name, key.low, key.high));
  }
  if (key.is_logarithmic && !(key.low > 0)) {
    throw InvalidArgument(fmt::format("key '{}': expected low > 0 on a logarithmic scale, got {}",
                                      key.name, key.low));
  }
  if (key.is_whole && (key.low != std::floor(key.low) || key.high != std::floor(key.high))) {
    throw InvalidArgument(
        fmt::format("key '{}': expected whole numbers low and high, got {} and {}", key.name,
                    key.low, key.high));
  }
}

// The value below which a share u of the key's distribution lies.
std::string quantile(const SweptKey& key, double u) {
  if (!key.values.empty()) {
    const auto at = static_cast<std::size_t>(u * static_cast<double>(key.values.size()));
    return key.values[std::min(at, key.values.size() - 1)];
  }
  const double above = key.is_whole ? key.high + 1 : key.high;
  const double value =
      key.is_logarithmic ? key.low * std::pow(above / key.low, u) : key.low + u * (above - key.low);
  if (!key.is_whole) return real_literal(value);
  return fmt::format("{:.0f}", std::clamp(std::floor(value), key.low, key.high));
}

std::vector<Setting> combinations(const std::vector<SweptKey>& keys) {
  Index count = 1;
  for (const SweptKey& key : keys) {
    if (key.values.empty()) {
      throw InvalidArgument(
          fmt::format("key '{}': expected a list of values in a grid, got a range or none; ranges "
                      "are for random "
                      "and latin-hypercube",
                      key.name));
    }
    count *= static_cast<Index>(key.values.size());
    if (count > most_settings) {
      throw InvalidArgument(
          fmt::format("grid: expected {} settings or fewer, got more", most_settings));
    }
  }
  std::vector<Setting> settings(1);
  for (const SweptKey& key : keys) {
    std::vector<Setting> longer;
    for (const Setting& setting : settings) {
      for (const std::string& value : key.values) {
        longer.push_back(setting);
        longer.back().emplace_back(key.name, value);
      }
    }
    settings = std::move(longer);
  }
  return settings;
}

std::vector<Setting> draws(const Design& design) {
  if (design.samples < 1 || design.samples > most_settings) {
    throw InvalidArgument(
        fmt::format("samples: expected 1 to {}, got {}", most_settings, design.samples));
  }
  const auto count = static_cast<std::size_t>(design.samples);
  std::vector<Setting> settings(count);
  const RandomStream stream(design.seed, "sweep");
  for (std::size_t k = 0; k < design.keys.size(); ++k) {
    const SweptKey& key = design.keys[k];
    if (key.values.empty()) check_range(key);
    const RandomStream within = stream.substream(2 * k);
    const RandomStream order = stream.substream(2 * k + 1);
    std::vector<std::size_t> part(count);
    std::iota(part.begin(), part.end(), std::size_t{0});
    std::sort(part.begin(), part.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(order.uniform(a), a) < std::pair(order.uniform(b), b);
    });
    for (std::size_t s = 0; s < count; ++s) {
      const double u = within.uniform(s);
      const bool is_random = design.sampling == Sampling::random;
      const double share =
          is_random ? u : (static_cast<double>(part[s]) + u) / static_cast<double>(count);
      settings[s].emplace_back(key.name, quantile(key, share));
    }
  }
  return settings;
}

}  // namespace

Sampling parse_sampling(std::string_view name) {
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (name == names[k]) return static_cast<Sampling>(k);
  }
  throw InvalidArgument(
      fmt::format("sampling: expected grid, list, random or latin-hypercube, got '{}'{}", name,
                  did_you_mean(std::string(name), names)));
}

std::string_view sampling_name(Sampling sampling) {
  return names[static_cast<std::size_t>(sampling)];
}

std::vector<Setting> settings_of(const Design& design) {
  switch (design.sampling) {
    case Sampling::grid:
      return combinations(design.keys);
    case Sampling::list:
      if (design.list.empty())
        throw InvalidArgument("list: expected one setting or more, got none");
      return design.list;
    case Sampling::random:
    case Sampling::latin_hypercube:
      break;
  }
  return draws(design);
}

}  // namespace xbar::sweep
