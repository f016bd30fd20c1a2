#pragma once

/// Random changes of training images that keep their class.

#include <cstdint>
#include <span>
#include <string_view>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

enum class Augmentation {
  none,       ///< images as they are
  crop_flip,  ///< 4 black pixels on every side, a random crop of the old size, flipped half the
              ///< time
};

/// "none" or "crop-flip".
[[nodiscard]] std::string_view augmentation_name(Augmentation augmentation);

/// The augmentation of that name. @throws InvalidArgument for an unknown one (suggests the
/// nearest).
[[nodiscard]] Augmentation augmentation_of(std::string_view name);

inline constexpr Index crop_padding = 4;  ///< pixels on every side

/// One draw of crop_flip: the crop's corner in the padded image, and whether it is mirrored left
/// to right.
struct CropFlip {
  Index top = crop_padding;   ///< 0 ... 2 crop_padding; crop_padding leaves the image in place
  Index left = crop_padding;  ///< likewise
  bool flip = false;
};

/// The draw for an image in an epoch: a function of (seed, epoch, image) alone, so that it depends
/// neither on threads nor on where a run was interrupted. All 9 x 9 x 2 outcomes are equally
/// likely. RandomStream(seed, "augment"), substream epoch, index image.
[[nodiscard]] CropFlip draw_crop_flip(std::uint64_t seed, Index epoch, Index image);

/// `out` = the changed image; both channels x height x width, not the same memory.
/// @param black  value of a black pixel, one a channel
void crop_flip(const CropFlip& draw, const float* image, Index height, Index width,
               std::span<const float> black, float* out);

}  // namespace xbar::nn
