#include <algorithm>
#include <cmath>

#include <xbar/device/linear_update.hpp>

namespace xbar::device {

void apply_update(const LinearUpdate& model, std::span<float> state, std::span<const float> change,
                  const RandomStream& noise, std::uint64_t first_index) {
  const std::size_t count = state.size();
  if (model.write_noise == 0) {
    for (std::size_t k = 0; k < count; ++k) {
      state[k] = std::min(std::max(state[k] + change[k], 0.0F), 1.0F);
    }
    return;
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (change[k] == 0) continue;
    const double spread = model.write_noise * std::sqrt(std::abs(change[k]));
    const double x = state[k] + change[k] + spread * noise.normal(first_index + k);
    state[k] = static_cast<float>(std::clamp(x, 0.0, 1.0));
  }
}

}  // namespace xbar::device
