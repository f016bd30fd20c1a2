#pragma once

#include <cstdint>

#include <xbar/core/random.hpp>
#include <xbar/nn/data/data_set.hpp>

namespace xbar_test {

/// Noise in [0, 1] with random labels.
inline xbar::nn::ImageSet random_images(xbar::Index count, xbar::Index side, std::uint64_t classes,
                                        std::uint64_t seed) {
  xbar::nn::ImageSet set;
  set.count = count;
  set.channels = 1;
  set.height = set.width = side;
  const xbar::RandomStream pixels(seed, "pixels");
  const xbar::RandomStream labels(seed, "labels");
  for (xbar::Index i = 0; i < count * side * side; ++i) {
    set.pixels.push_back(static_cast<float>(pixels.uniform(static_cast<std::uint64_t>(i))));
  }
  for (xbar::Index i = 0; i < count; ++i) {
    set.labels.push_back(
        static_cast<std::uint8_t>(labels.below(static_cast<std::uint64_t>(i), classes)));
  }
  return set;
}

}  // namespace xbar_test
