#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/device/read_noise.hpp>

namespace xbar::device {

void check_read_noise(double noise) {
  if (!(noise >= 0) || !(noise <= 1)) {
    throw InvalidArgument(
        fmt::format("read-noise: expected a share of the conductance, 0 to 1, got {}", noise));
  }
}

void fill_read_noise(double noise, const RandomStream& stream, std::uint64_t first_index,
                     std::span<float> factor) {
  if (noise == 0) {
    std::fill(factor.begin(), factor.end(), 1.0F);
    return;
  }
  fill_normal(stream, first_index, factor);
  const auto sigma = static_cast<float>(noise);
  for (float& value : factor) value = std::max(1 + sigma * value, 0.0F);
}

}  // namespace xbar::device
