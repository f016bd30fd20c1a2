#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "colour.hpp"

namespace xbar::report {

inline constexpr std::uint8_t transparent_index = 255;

/// A PNG of width x height palette indices, row by row from the top. Index 255 is transparent.
/// @throws Error if it cannot be compressed.
std::string encode_png(std::span<const std::uint8_t> pixels, std::size_t width, std::size_t height,
                       std::span<const Rgb, ramp_levels> palette);

std::string base64(std::string_view bytes);

}  // namespace xbar::report
