#include "output_error.hpp"

#include <algorithm>

#include "../image_batch.hpp"

namespace xbar::nn {
namespace {

constexpr Index images_at_once = 125;

// The network's outputs for images from `begin` on, less their mean; x has to stay for backward().
MatrixF outputs_of(Network& network, const ImageSet& images, Index begin, Tensor& x) {
  const Index size = std::min(images_at_once, images.count - begin);
  fill_batch(network, images, begin, size, x);
  const Tensor& y = network.forward(x);
  MatrixF outputs = Eigen::Map<const MatrixF>(y.data(), size, y.item_size());
  outputs.colwise() -= outputs.rowwise().mean().eval();
  return outputs;
}

MatrixF all_outputs(Network& network, const ImageSet& images) {
  const ModeScope evaluation(network, false);
  Tensor x;
  MatrixF all(images.count, network.output_shape()[0]);
  for (Index begin = 0; begin < images.count; begin += images_at_once) {
    const MatrixF outputs = outputs_of(network, images, begin, x);
    all.middleRows(begin, outputs.rows()) = outputs;
  }
  return all;
}

}  // namespace

OutputError::OutputError(Network& ideal, const ImageSet& images)
    : images_(images), wanted_(all_outputs(ideal, images)) {}

double OutputError::of(Network& network) {
  const Matrix found = all_outputs(network, images_).cast<double>();
  const Matrix wanted = wanted_.cast<double>();
  const double square = found.squaredNorm();
  scale_ = square > 0 ? std::max(found.cwiseProduct(wanted).sum() / square, 0.0) : 0.0;
  return (scale_ * found - wanted).squaredNorm() / (2 * static_cast<double>(images_.count));
}

std::vector<MatrixF> OutputError::gradients(Network& network, double s) const {
  const ModeScope evaluation(network, false);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  std::vector<MatrixF> gradients;
  for (const WeightedLayer* layer : layers) {
    gradients.push_back(MatrixF::Zero(layer->out_features(), layer->in_features()));
  }
  const auto scale = static_cast<float>(s);
  Tensor x;
  Tensor dy;
  for (Index begin = 0; begin < images_.count; begin += images_at_once) {
    MatrixF error = scale * outputs_of(network, images_, begin, x);
    error -= wanted_.middleRows(begin, error.rows());
    dy.resize(network.output_shape().batch(error.rows()));
    // s being where E is least, what it changes by does not count.
    Eigen::Map<MatrixF>(dy.data(), error.rows(), error.cols()) =
        error * (scale / static_cast<float>(images_.count));
    network.backward(dy);
    for (std::size_t k = 0; k < layers.size(); ++k) gradients[k] += layers[k]->weight().gradient;
  }
  return gradients;
}

}  // namespace xbar::nn
