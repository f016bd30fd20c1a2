#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/sensitivity.hpp>

#include "image_check.hpp"

namespace xbar::nn {

std::vector<ColumnSensitivity> column_sensitivity(Network& network, const ImageSet& images,
                                                  Index count, const ProgressCallback& progress) {
  check_images(network, images, "calibration");
  count = std::min(count, images.count);
  if (count < 1) {
    throw InvalidArgument(fmt::format("calibration images: expected at least 1, got {}", count));
  }
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  std::vector<ColumnSensitivity> result;
  result.reserve(layers.size());
  for (const WeightedLayer* layer : layers) {
    result.push_back(
        {layer->name(), std::vector<double>(static_cast<std::size_t>(layer->out_features()), 0.0)});
  }
  const ModeScope evaluation(network, false);
  // One image at a time: the absolute value is taken for each image.
  SoftmaxCrossEntropy loss;
  Tensor image(network.input_shape().batch(1));
  for (Index n = 0; n < count; ++n) {
    const float* pixels = images.pixels.data() + n * images.image_size();
    std::copy(pixels, pixels + images.image_size(), image.data());
    loss.forward(network.forward(image), {&images.labels[static_cast<std::size_t>(n)], 1});
    network.backward(loss.backward());
    for (std::size_t k = 0; k < layers.size(); ++k) {
      const MatrixF& weight = layers[k]->weight_store().weight();
      const MatrixF& gradient = layers[k]->weight().gradient;
      for (Index o = 0; o < weight.rows(); ++o) {
        result[k].values[static_cast<std::size_t>(o)] +=
            std::abs(static_cast<double>(weight.row(o).dot(gradient.row(o)))) /
            static_cast<double>(count);
      }
    }
    if (progress) {
      progress({"sensitivity", static_cast<double>(n + 1), static_cast<double>(count), ""});
    }
  }
  return result;
}

}  // namespace xbar::nn
