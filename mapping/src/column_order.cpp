#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/column_order.hpp>

namespace xbar::mapping {

std::string_view remap_strategy_name(RemapStrategy strategy) {
  switch (strategy) {
    case RemapStrategy::srs:
      return "srs";
    case RemapStrategy::drs:
      return "drs";
    case RemapStrategy::optimal:
      return "optimal";
    case RemapStrategy::none:
      break;
  }
  return "none";
}

RemapStrategy parse_remap_strategy(std::string_view name) {
  for (const RemapStrategy strategy :
       {RemapStrategy::none, RemapStrategy::srs, RemapStrategy::drs, RemapStrategy::optimal}) {
    if (remap_strategy_name(strategy) == name) return strategy;
  }
  throw InvalidArgument(
      fmt::format("strategy: expected none, srs, drs or optimal, got '{}'", name));
}

std::vector<Index> order_by_sensitivity(const std::vector<double>& sensitivity,
                                        Index outputs_per_tile) {
  if (sensitivity.empty())
    throw InvalidArgument("sensitivity: expected at least one number, got 0");
  for (std::size_t k = 0; k < sensitivity.size(); ++k) {
    if (!std::isfinite(sensitivity[k])) {
      throw InvalidArgument(fmt::format("sensitivity: expected finite numbers, got {} at place {}",
                                        sensitivity[k], k));
    }
  }
  const auto outputs = static_cast<Index>(sensitivity.size());
  const Index tiles = (outputs + outputs_per_tile - 1) / outputs_per_tile;
  std::vector<std::size_t> ranked(sensitivity.size());
  std::iota(ranked.begin(), ranked.end(), std::size_t{0});
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](std::size_t a, std::size_t b) { return sensitivity[a] > sensitivity[b]; });
  std::vector<Index> slot_of_output(sensitivity.size());
  for (Index rank = 0; rank < outputs; ++rank) {
    slot_of_output[ranked[static_cast<std::size_t>(rank)]] =
        rank % tiles * outputs_per_tile + rank / tiles;
  }
  return slot_of_output;
}

std::vector<Index> rows_by_sensitivity(const std::vector<double>& sensitivity, Index tile_rows) {
  // Distance from the sense amplifiers counts from the other end of a tile.
  std::vector<Index> slots = order_by_sensitivity(sensitivity, tile_rows);
  for (Index& slot : slots) slot = slot / tile_rows * tile_rows + tile_rows - 1 - slot % tile_rows;
  return slots;
}

}  // namespace xbar::mapping
