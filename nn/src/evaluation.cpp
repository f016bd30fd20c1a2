#include <algorithm>
#include <span>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/trainer.hpp>

#include "image_check.hpp"

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

Evaluation evaluate(Network& network, const ImageSet& images, Index batch,
                    const ProgressCallback& progress) {
  if (batch < 1) throw InvalidArgument(fmt::format("batch: expected >= 1, found {}", batch));
  check_images(network, images, "evaluate");
  const ModeScope evaluation(network, false);
  Evaluation result;
  result.correct.reserve(static_cast<std::size_t>(images.count));
  SoftmaxCrossEntropy loss;
  Tensor x;
  double loss_sum = 0;
  Index correct = 0;
  for (Index begin = 0; begin < images.count; begin += batch) {
    const Index size = std::min(batch, images.count - begin);
    x.resize(network.input_shape().batch(size));
    const float* pixels = images.pixels.data() + begin * images.image_size();
    std::copy(pixels, pixels + x.size(), x.data());
    const std::span labels(images.labels.data() + begin, static_cast<std::size_t>(size));
    loss_sum += loss.forward(network.forward(x), labels) * static_cast<double>(size);
    correct += loss.correct_count();
    result.correct.insert(result.correct.end(), loss.correct().begin(), loss.correct().end());
    if (progress) {
      const auto done = static_cast<double>(begin + size);
      progress({"test", done, static_cast<double>(images.count),
                fmt::format("accuracy {:.4f}", static_cast<double>(correct) / done)});
    }
  }
  result.accuracy = static_cast<double>(correct) / static_cast<double>(images.count);
  result.loss = loss_sum / static_cast<double>(images.count);
  return result;
}

}  // namespace xbar::nn
