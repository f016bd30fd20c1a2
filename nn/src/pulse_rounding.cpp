#include "pulse_rounding.hpp"

#include <cstdint>
#include <span>
#include <vector>

#include <xbar/device/pulsed_cells.hpp>

namespace xbar::nn {

void write_rounded(mapping::CrossbarMatrix& matrix, const MatrixF& delta,
                   const RandomStream& draws) {
  const RandomStream now = draws.substream(matrix.update_count());
  const float step = matrix.weight_step();
  matrix.pulse([&](Index o, std::span<float> up, std::span<float> down) {
    thread_local std::vector<float> uniform;
    uniform.resize(up.size());
    fill_uniform(now, static_cast<std::uint64_t>(o) * up.size(), uniform);
    device::round_to_pulses({delta.row(o).data(), up.size()}, step, uniform, up, down);
  });
}

}  // namespace xbar::nn
