#include <algorithm>
#include <span>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>
#include <xbar/nn/trainer.hpp>

#include "image_batch.hpp"

namespace xbar::nn {

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
    fill_batch(network, images, begin, size, x);
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
