#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/device/variation.hpp>

#include "line_kernels.hpp"

namespace xbar::device {

void check_device_variation(double variation) {
  if (!(variation >= 0) || !(variation <= 2)) {
    throw InvalidArgument(fmt::format(
        "device-variation: expected a standard deviation of ln G, 0 to 2, got {}", variation));
  }
}

void fill_device_variation(double variation, const RandomStream& stream, std::uint64_t first_index,
                           std::span<float> factor) {
  if (variation == 0) {
    std::fill(factor.begin(), factor.end(), 1.0F);
    return;
  }
  fill_normal(stream, first_index, factor);
  XBAR_DISPATCH(xbar::device, exponentials)
  (static_cast<long>(factor.size()), static_cast<float>(variation), factor.data());
}

}  // namespace xbar::device
