#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/random.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/nn/data/augmentation.hpp>

namespace xbar::nn {
namespace {

constexpr std::array<std::pair<std::string_view, Augmentation>, 2> augmentations{{
    {"none", Augmentation::none},
    {"crop-flip", Augmentation::crop_flip},
}};

// Uniform in [0, bound): the upper word of the product, biased by less than bound / 2^32.
Index below(std::uint32_t bits, std::uint64_t bound) {
  return static_cast<Index>((bits * bound) >> 32U);
}

}  // namespace

std::string_view augmentation_name(Augmentation augmentation) {
  for (const auto& [name, known] : augmentations) {
    if (known == augmentation) return name;
  }
  throw InvalidArgument("augment: expected none or crop-flip, found another value");
}

Augmentation augmentation_of(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, augmentation] : augmentations) {
    if (known == name) return augmentation;
    names.emplace_back(known);
  }
  throw InvalidArgument(fmt::format("augment: expected one of {}, found {}{}",
                                    fmt::join(names, ", "), name, did_you_mean(name, names)));
}

CropFlip draw_crop_flip(std::uint64_t seed, Index epoch, Index image) {
  const auto bits = RandomStream(seed, "augment")
                        .substream(static_cast<std::uint64_t>(epoch))
                        .bits(static_cast<std::uint64_t>(image));
  constexpr std::uint64_t places = 2 * crop_padding + 1;
  return {below(bits[0], places), below(bits[1], places), below(bits[2], 2) != 0};
}

void crop_flip(const CropFlip& draw, const float* image, Index height, Index width,
               std::span<const float> black, float* out) {
  // Row and column of the crop's corner in the image itself; what lies outside of it is black.
  const Index top = draw.top - crop_padding;
  const Index left = draw.left - crop_padding;
  const Index begin = std::clamp<Index>(-left, 0, width);
  const Index end = std::clamp<Index>(width - left, begin, width);
  for (std::size_t channel = 0; channel < black.size(); ++channel) {
    for (Index row = 0; row < height; ++row, out += width) {
      if (row + top < 0 || row + top >= height) {
        std::fill(out, out + width, black[channel]);
        continue;
      }
      const float* from = image + (row + top) * width;
      std::fill(out, out + begin, black[channel]);
      std::copy(from + (left + begin), from + (left + end), out + begin);
      std::fill(out + end, out + width, black[channel]);
      if (draw.flip) std::reverse(out, out + width);
    }
    image += height * width;
  }
}

}  // namespace xbar::nn
