#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/layers/batch_norm.hpp>

#include "image_batch.hpp"
#include "layers_of.hpp"

namespace xbar::nn {
std::vector<Parameter*> batch_norm_parameters(Network& network) {
  std::vector<Parameter*> result;
  for (BatchNorm* norm : layers_of<BatchNorm>(network)) {
    for (Parameter* parameter : norm->parameters()) result.push_back(parameter);
  }
  return result;
}

void refit_batch_norm(Network& network, const ImageSet& images, Index batch,
                      const ProgressCallback& progress) {
  check_images(network, images, "train");
  const std::vector<BatchNorm*> norms = layers_of<BatchNorm>(network);
  if (norms.empty()) {
    throw InvalidArgument(
        "batch-norm refit: expected a network with batch normalisation, found none in " +
        network.name());
  }
  const ModeScope training(network, true);
  for (BatchNorm* norm : norms) norm->begin_cumulative();
  Tensor x;
  for (Index begin = 0; begin < images.count; begin += batch) {
    const Index size = std::min(batch, images.count - begin);
    // One image has no variance of its own in a layer of single values.
    if (size < 2 && begin > 0) break;
    fill_batch(network, images, begin, size, x);
    static_cast<void>(network.forward(x));
    if (progress) {
      progress({"batch-norm statistics", static_cast<double>(begin + size),
                static_cast<double>(images.count), ""});
    }
  }
  for (BatchNorm* norm : norms) norm->end_cumulative();
}

void match_batch_norm(Network& network, Network& other, const ImageSet& images, Index batch,
                      const ProgressCallback& progress) {
  const std::vector<BatchNorm*> norms = layers_of<BatchNorm>(network);
  const std::vector<BatchNorm*> others = layers_of<BatchNorm>(other);
  if (norms.size() != others.size()) {
    throw InvalidArgument(fmt::format(
        "batch-norm match: expected networks of the same layers, found {} and {} of batch "
        "normalisation",
        norms.size(), others.size()));
  }
  std::vector<MatrixF> mean;
  std::vector<MatrixF> variance;
  for (BatchNorm* norm : others) {
    mean.push_back(norm->running_mean());
    variance.push_back(norm->running_variance());
  }
  refit_batch_norm(network, images, batch, progress);
  refit_batch_norm(other, images, batch, progress);
  for (std::size_t k = 0; k < norms.size(); ++k) {
    const auto epsilon = static_cast<float>(norms[k]->epsilon());
    for (Index c = 0; c < mean[k].size(); ++c) {
      float& m = norms[k]->running_mean()(c);
      float& v = norms[k]->running_variance()(c);
      const float of_other = others[k]->running_variance()(c);
      const float ratio = of_other > 0 ? v / of_other : 1.0F;
      v = (variance[k](c) + epsilon) * ratio - epsilon;
      m -= (others[k]->running_mean()(c) - mean[k](c)) * std::sqrt(ratio);
    }
    others[k]->running_mean() = mean[k];
    others[k]->running_variance() = variance[k];
  }
}

}  // namespace xbar::nn
