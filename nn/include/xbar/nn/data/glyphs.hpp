#pragma once

/// A data set made on the spot, so that everything runs with no file and no network: ten line
/// drawings, 28 x 28 grey, each drawn with its own distortion, stroke and noise.

#include <array>
#include <cstdint>
#include <string_view>

#include <xbar/core/matrix.hpp>
#include <xbar/nn/data/data_set.hpp>

namespace xbar::nn {

/// The classes in order of their labels.
inline constexpr std::array<std::string_view, 10> glyph_names = {
    "cross", "circle", "triangle", "zigzag", "square", "arrow", "spiral", "tee", "wye", "bars"};

inline constexpr Index glyph_side = 28;  ///< height and width, pixels

/// Images 0 .. count - 1 of a split, `split` being "train" or "test". Image k shows class k mod 10
/// and depends on (seed, split, k) only: neither on `count` nor on the number of threads.
/// @throws InvalidArgument for count < 1.
[[nodiscard]] ImageSet glyph_images(std::uint64_t seed, std::string_view split, Index count);

/// Both splits.
[[nodiscard]] DataSet make_glyphs(std::uint64_t seed, Index train_count = 12000,
                                  Index test_count = 2000);

}  // namespace xbar::nn
