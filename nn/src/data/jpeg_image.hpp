#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <xbar/core/matrix.hpp>

namespace xbar::nn::detail {

/// Decodes a JPEG file in memory as libjpeg does by default (as Pillow and PyTorch do).
/// @param name  stands for the file in messages
/// @param out   3 x height x width: the planes R, G, B
/// @throws IoError if the data are damaged, not colour, or of another size.
void decode_jpeg(std::string_view bytes, const std::string& name, Index height, Index width,
                 std::uint8_t* out);

}  // namespace xbar::nn::detail
