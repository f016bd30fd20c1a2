#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/faults.hpp>

namespace xbar::device {

void check_cell_faults(const CellFaults& faults) {
  const auto check_share = [](const char* name, double share) {
    if (!(share >= 0) || !(share <= 1)) {
      throw InvalidArgument(
          fmt::format("{}: expected a share of cells, 0 to 1, got {}", name, share));
    }
  };
  check_share("stuck-on", faults.stuck_on);
  check_share("stuck-off", faults.stuck_off);
  check_share("open", faults.open);
  const double sum = faults.stuck_on + faults.stuck_off + faults.open;
  if (sum > 1) {
    throw InvalidArgument(fmt::format(
        "stuck-on + stuck-off + open: expected shares that sum to at most 1, got {}", sum));
  }
}

void draw_cell_faults(const CellFaults& faults, const RandomStream& stream,
                      std::uint64_t first_index, std::span<CellFault> fault) {
  if (!faults.any()) {
    std::fill(fault.begin(), fault.end(), CellFault::none);
    return;
  }
  const double on = faults.stuck_on;
  const double off = on + faults.stuck_off;
  const double open = off + faults.open;
  std::array<float, 256> draws{};
  while (!fault.empty()) {
    const std::size_t count = std::min(draws.size(), fault.size());
    fill_uniform(stream, first_index, std::span(draws).first(count));
    for (std::size_t k = 0; k < count; ++k) {
      const double u = draws[k];
      fault[k] = u < on     ? CellFault::stuck_on
                 : u < off  ? CellFault::stuck_off
                 : u < open ? CellFault::open
                            : CellFault::none;
    }
    fault = fault.subspan(count);
    first_index += count;
  }
}

}  // namespace xbar::device
