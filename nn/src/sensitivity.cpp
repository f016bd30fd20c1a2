#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/sensitivity.hpp>

#include "image_check.hpp"

namespace xbar::nn {

SensitivityKind parse_sensitivity_kind(std::string_view name) {
  if (name == "taylor") return SensitivityKind::taylor;
  if (name == "fisher") return SensitivityKind::fisher;
  throw InvalidArgument(fmt::format("sensitivity: expected taylor or fisher, got '{}'", name));
}

std::vector<LayerSensitivity> layer_sensitivity(Network& network, const ImageSet& images,
                                                Index count, SensitivityKind kind,
                                                const ProgressCallback& progress) {
  check_images(network, images, "calibration");
  count = std::min(count, images.count);
  if (count < 1) {
    throw InvalidArgument(fmt::format("calibration images: expected at least 1, got {}", count));
  }
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  std::vector<LayerSensitivity> result;
  result.reserve(layers.size());
  for (const WeightedLayer* layer : layers) {
    result.push_back({layer->name(),
                      std::vector<double>(static_cast<std::size_t>(layer->out_features()), 0.0),
                      std::vector<double>(static_cast<std::size_t>(layer->in_features()), 0.0),
                      MatrixF::Zero(layer->out_features(), layer->in_features())});
  }
  const auto of_change = [&](double t) {
    return kind == SensitivityKind::taylor ? std::abs(t) : t * t / 2;
  };
  const ModeScope evaluation(network, false);
  // One image at a time: the absolute value or the square is taken for each image.
  SoftmaxCrossEntropy loss;
  Tensor image(network.input_shape().batch(1));
  MatrixF change;
  for (Index n = 0; n < count; ++n) {
    const float* pixels = images.pixels.data() + n * images.image_size();
    std::copy(pixels, pixels + images.image_size(), image.data());
    loss.forward(network.forward(image), {&images.labels[static_cast<std::size_t>(n)], 1});
    network.backward(loss.backward());
    for (std::size_t k = 0; k < layers.size(); ++k) {
      change = layers[k]->weight_store().weight().cwiseProduct(layers[k]->weight().gradient);
      LayerSensitivity& of = result[k];
      for (Index o = 0; o < change.rows(); ++o) {
        of.columns[static_cast<std::size_t>(o)] +=
            of_change(static_cast<double>(change.row(o).sum()));
      }
      const Eigen::RowVectorXf of_rows = change.colwise().sum();
      for (Index i = 0; i < change.cols(); ++i) {
        of.rows[static_cast<std::size_t>(i)] += of_change(static_cast<double>(of_rows(i)));
      }
      if (kind == SensitivityKind::taylor) {
        of.weights += change.cwiseAbs();
      } else {
        of.weights += 0.5F * change.cwiseAbs2();
      }
    }
    if (progress) {
      progress({"sensitivity", static_cast<double>(n + 1), static_cast<double>(count), ""});
    }
  }
  for (LayerSensitivity& of : result) {
    for (double& value : of.columns) value /= static_cast<double>(count);
    for (double& value : of.rows) value /= static_cast<double>(count);
    of.weights /= static_cast<float>(count);
  }
  return result;
}

}  // namespace xbar::nn
