#include <algorithm>

#include <xbar/core/error.hpp>
#include <xbar/nn/batch_norm_refit.hpp>
#include <xbar/nn/layers/batch_norm.hpp>

#include "image_check.hpp"

namespace xbar::nn {
namespace {

void collect(Layer& layer, std::vector<BatchNorm*>& found) {
  if (auto* norm = dynamic_cast<BatchNorm*>(&layer)) found.push_back(norm);
  for (Layer* child : layer.children()) collect(*child, found);
}

std::vector<BatchNorm*> batch_norms(Network& network) {
  std::vector<BatchNorm*> found;
  for (const auto& layer : network.layers()) collect(*layer, found);
  return found;
}

}  // namespace

std::vector<Parameter*> batch_norm_parameters(Network& network) {
  std::vector<Parameter*> result;
  for (BatchNorm* norm : batch_norms(network)) {
    for (Parameter* parameter : norm->parameters()) result.push_back(parameter);
  }
  return result;
}

void refit_batch_norm(Network& network, const ImageSet& images, Index batch,
                      const ProgressCallback& progress) {
  check_images(network, images, "train");
  const std::vector<BatchNorm*> norms = batch_norms(network);
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
    x.resize(network.input_shape().batch(size));
    const auto first = images.pixels.begin() + begin * images.image_size();
    std::copy(first, first + size * images.image_size(), x.data());
    static_cast<void>(network.forward(x));
    if (progress) {
      progress({"batch-norm statistics", static_cast<double>(begin + size),
                static_cast<double>(images.count), ""});
    }
  }
  for (BatchNorm* norm : norms) norm->end_cumulative();
}

}  // namespace xbar::nn
