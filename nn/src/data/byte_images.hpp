#pragma once

#include <cstdint>
#include <vector>

namespace xbar::nn::detail {

/// Appends bytes as pixels in [0, 1]: byte / 255.
inline void append_pixels(const std::vector<std::uint8_t>& bytes, std::vector<float>& pixels) {
  pixels.reserve(pixels.size() + bytes.size());
  for (const std::uint8_t byte : bytes) pixels.push_back(static_cast<float>(byte) / 255.0F);
}

}  // namespace xbar::nn::detail
