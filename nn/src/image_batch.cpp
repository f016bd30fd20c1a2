#include "image_batch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>

namespace xbar::nn {

void check_images(const Network& network, const ImageSet& images, const char* name) {
  const Shape shape{images.channels, images.height, images.width};
  const bool as_vector = network.input_shape() == Shape{images.image_size()};
  if (!(shape == network.input_shape() || as_vector) || network.output_shape().rank() != 1) {
    throw InvalidArgument(fmt::format("{}: expected images of shape {}, which {} takes, found {}",
                                      name, to_string(network.input_shape()), network.name(),
                                      to_string(shape)));
  }
  const auto count = static_cast<std::size_t>(images.count);
  if (images.count < 1 || images.labels.size() != count ||
      images.pixels.size() != count * static_cast<std::size_t>(images.image_size())) {
    throw InvalidArgument(fmt::format(
        "{}: expected at least one image, {} pixels and one label each, found {} "
        "images, {} pixels and {} labels",
        name, images.image_size(), images.count, images.pixels.size(), images.labels.size()));
  }
  const Index classes = network.output_shape()[0];
  const auto largest = std::max_element(images.labels.begin(), images.labels.end());
  if (*largest >= classes) {
    throw InvalidArgument(fmt::format("{}: expected labels below {}, the outputs of {}, found {}",
                                      name, classes, network.name(), *largest));
  }
}

void fill_batch(const Network& network, const ImageSet& images, Index first, Index count,
                Tensor& x) {
  x.resize(network.input_shape().batch(count));
  std::copy_n(images.pixels.data() + first * images.image_size(), x.size(), x.data());
}

}  // namespace xbar::nn
