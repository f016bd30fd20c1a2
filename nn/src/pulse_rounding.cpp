#include "pulse_rounding.hpp"

#include <cmath>
#include <cstdint>
#include <span>

namespace xbar::nn {

void write_rounded(mapping::CrossbarMatrix& matrix, const MatrixF& delta,
                   const RandomStream& draws) {
  const float inverse = 1 / matrix.weight_step();
  const RandomStream now = draws.substream(matrix.update_count());
  matrix.pulse([&](Index o, std::span<float> up, std::span<float> down) {
    const std::size_t count = up.size();
    fill_uniform(now, static_cast<std::uint64_t>(o) * count, down);
    const float* d = delta.row(o).data();
#pragma omp simd
    for (std::size_t k = 0; k < count; ++k) {
      const float asked = d[k] * inverse;
      const float pulses = __builtin_floorf(__builtin_fabsf(asked) + down[k]);
      up[k] = asked > 0 ? pulses : 0.0F;
      down[k] = asked < 0 ? pulses : 0.0F;
    }
  });
}

}  // namespace xbar::nn
