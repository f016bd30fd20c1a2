#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/softmax_cross_entropy.hpp>

namespace xbar::nn {

double SoftmaxCrossEntropy::forward(const Tensor& logits, std::span<const std::uint8_t> labels,
                                    Index batch) {
  const Shape& shape = logits.shape();
  if (shape.rank() != 2 || shape[0] < 1 || shape[1] < 1) {
    throw InvalidArgument(
        fmt::format("softmax_cross_entropy: expected logits of shape (N >= 1, classes >= 1), "
                    "found {}",
                    to_string(shape)));
  }
  const Index count = shape[0];
  const Index classes = shape[1];
  if (static_cast<Index>(labels.size()) != count) {
    throw InvalidArgument(fmt::format(
        "softmax_cross_entropy: expected {} labels, one a row, found {}", count, labels.size()));
  }
  gradient_.resize(shape);
  correct_.resize(labels.size());
  if (batch == 0) batch = count;
  const float scale = 1.0F / static_cast<float>(batch);
  double loss = 0;
  for (Index n = 0; n < count; ++n) {
    const Index label = labels[static_cast<std::size_t>(n)];
    if (label >= classes) {
      throw InvalidArgument(fmt::format(
          "softmax_cross_entropy: expected labels below {}, found {} at {}", classes, label, n));
    }
    const float* z = logits.data() + n * classes;
    float* dz = gradient_.data() + n * classes;
    const float* largest = std::max_element(z, z + classes);
    const bool has_nan = std::any_of(z, z + classes, [](float value) { return std::isnan(value); });
    correct_[static_cast<std::size_t>(n)] = !has_nan && largest - z == label ? 1 : 0;
    double sum = 0;
    for (Index k = 0; k < classes; ++k) {
      dz[k] = std::exp(z[k] - *largest);
      sum += static_cast<double>(dz[k]);
    }
    loss += std::log(sum) - static_cast<double>(z[label] - *largest);
    const float factor = scale / static_cast<float>(sum);
    for (Index k = 0; k < classes; ++k) dz[k] *= factor;
    dz[label] -= scale;
  }
  return loss / static_cast<double>(batch);
}

const Tensor& SoftmaxCrossEntropy::backward() {
  if (correct_.empty()) {
    throw InvalidArgument("softmax_cross_entropy: backward needs a forward pass before it");
  }
  return gradient_;
}

Index SoftmaxCrossEntropy::correct_count() const {
  return std::accumulate(correct_.begin(), correct_.end(), Index{0});
}

}  // namespace xbar::nn
