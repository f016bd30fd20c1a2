#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/array_order.hpp>

namespace xbar::mapping {
namespace {

void check_slots(const char* what, const char* each, const std::vector<Index>& slots, Index count,
                 Index slot_count) {
  if (static_cast<Index>(slots.size()) != count) {
    throw InvalidArgument(fmt::format("{} order: expected {} slots, one an {}, got {}", what, count,
                                      each, slots.size()));
  }
  std::vector<bool> taken(static_cast<std::size_t>(slot_count), false);
  for (const Index slot : slots) {
    if (slot < 0 || slot >= slot_count) {
      throw InvalidArgument(
          fmt::format("{} order: expected slots 0 to {}, got {}", what, slot_count - 1, slot));
    }
    if (taken[static_cast<std::size_t>(slot)]) {
      throw InvalidArgument(fmt::format("{} order: slot {} is used twice", what, slot));
    }
    taken[static_cast<std::size_t>(slot)] = true;
  }
}

}  // namespace

ArrayOrder as_trained(Index outputs, Index inputs) {
  ArrayOrder order;
  order.slot_of_output.resize(static_cast<std::size_t>(outputs));
  order.slot_of_input.resize(static_cast<std::size_t>(inputs));
  std::iota(order.slot_of_output.begin(), order.slot_of_output.end(), Index{0});
  std::iota(order.slot_of_input.begin(), order.slot_of_input.end(), Index{0});
  return order;
}

void check_order(const ArrayOrder& order, Index outputs, Index inputs, Index column_slots,
                 Index row_slots) {
  check_slots("column", "output", order.slot_of_output, outputs, column_slots);
  check_slots("row", "input", order.slot_of_input, inputs, row_slots);
}

}  // namespace xbar::mapping
