#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/column_order.hpp>

namespace xbar::mapping {

std::string_view remap_strategy_name(RemapStrategy strategy) {
  return strategy == RemapStrategy::srs ? "srs" : "none";
}

RemapStrategy parse_remap_strategy(std::string_view name) {
  for (const RemapStrategy strategy : {RemapStrategy::none, RemapStrategy::srs}) {
    if (remap_strategy_name(strategy) == name) return strategy;
  }
  throw InvalidArgument(fmt::format("strategy: expected none or srs, got '{}'", name));
}

std::vector<Index> order_by_sensitivity(const std::vector<double>& sensitivity,
                                        Index outputs_per_tile) {
  if (sensitivity.empty())
    throw InvalidArgument("sensitivity: expected at least one output, got 0");
  for (std::size_t k = 0; k < sensitivity.size(); ++k) {
    if (!std::isfinite(sensitivity[k])) {
      throw InvalidArgument(fmt::format(
          "sensitivity: expected finite numbers, got {} for output {}", sensitivity[k], k));
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

}  // namespace xbar::mapping
