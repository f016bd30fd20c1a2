#include "cell_effects.hpp"

#include <span>
#include <vector>

#include <xbar/core/parallel.hpp>
#include <xbar/device/variation.hpp>

namespace xbar::mapping {

bool has_cell_effects(const Technology& technology) {
  return technology.device_variation > 0 || technology.faults.any() || technology.drift.any();
}

void apply_cell_effects(const Technology& technology, const RandomStream& cells, MatrixF& slope,
                        MatrixF& base) {
  const RandomStream variation_draws = cells.substream(0);
  const RandomStream drift_draws = cells.substream(1);
  const RandomStream fault_draws = cells.substream(2);
  const auto count = static_cast<std::size_t>(slope.cols());
  parallel_for(slope.rows(), [&](Index line) {
    const auto first = static_cast<std::uint64_t>(line) * count;
    const std::span<float> a(slope.data() + line * slope.cols(), count);
    const std::span<float> b(base.data() + line * base.cols(), count);
    std::vector<float> factor(count);
    const auto scale = [&] {
      for (std::size_t k = 0; k < count; ++k) {
        a[k] *= factor[k];
        b[k] *= factor[k];
      }
    };
    if (technology.device_variation > 0) {
      device::fill_device_variation(technology.device_variation, variation_draws, first, factor);
      scale();
    }
    if (technology.faults.any()) {
      std::vector<device::CellFault> fault(count);
      device::draw_cell_faults(technology.faults, fault_draws, first, fault);
      for (std::size_t k = 0; k < count; ++k) {
        // Stuck at its own g_max or g_min, which vary like any other conductance.
        if (fault[k] == device::CellFault::stuck_on) b[k] += a[k];
        if (fault[k] == device::CellFault::open) b[k] = 0;
        if (fault[k] != device::CellFault::none) a[k] = 0;
      }
    }
    if (technology.drift.any()) {
      device::fill_drift(technology.drift, drift_draws, first, factor);
      scale();
    }
  });
}

}  // namespace xbar::mapping
