#include "output_error.hpp"

#include <algorithm>

namespace xbar::nn {
namespace {

constexpr Index images_at_once = 125;

// The network's outputs for images from `begin` on, less their mean; x has to stay for backward().
MatrixF outputs_of(Network& network, const ImageSet& images, Index begin, Tensor& x) {
  const Index size = std::min(images_at_once, images.count - begin);
  x.resize(network.input_shape().batch(size));
  std::copy_n(images.pixels.data() + begin * images.image_size(), x.size(), x.data());
  const Tensor& y = network.forward(x);
  MatrixF outputs = Eigen::Map<const MatrixF>(y.data(), size, y.item_size());
  outputs.colwise() -= outputs.rowwise().mean().eval();
  return outputs;
}

}  // namespace

OutputError::OutputError(Network& ideal, const ImageSet& images) : images_(images) {
  const ModeScope evaluation(ideal, false);
  Tensor x;
  wanted_.resize(images.count, ideal.output_shape()[0]);
  for (Index begin = 0; begin < images.count; begin += images_at_once) {
    const MatrixF outputs = outputs_of(ideal, images, begin, x);
    wanted_.middleRows(begin, outputs.rows()) = outputs;
  }
}

double OutputError::of(Network& network) const { return pass(network, nullptr); }

double OutputError::of(Network& network, std::vector<MatrixF>& gradients) const {
  gradients.clear();
  for (const WeightedLayer* layer : network.weighted_layers()) {
    gradients.push_back(MatrixF::Zero(layer->out_features(), layer->in_features()));
  }
  return pass(network, &gradients);
}

double OutputError::pass(Network& network, std::vector<MatrixF>* gradients) const {
  const ModeScope evaluation(network, false);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  Tensor x;
  Tensor dy;
  double sum = 0;
  for (Index begin = 0; begin < images_.count; begin += images_at_once) {
    MatrixF error = outputs_of(network, images_, begin, x);
    error -= wanted_.middleRows(begin, error.rows());
    sum += error.cast<double>().squaredNorm() / 2;
    if (gradients == nullptr) continue;
    dy.resize(network.output_shape().batch(error.rows()));
    Eigen::Map<MatrixF>(dy.data(), error.rows(), error.cols()) =
        error / static_cast<float>(images_.count);
    network.backward(dy);
    for (std::size_t k = 0; k < layers.size(); ++k) {
      (*gradients)[k] += layers[k]->weight().gradient;
    }
  }
  return sum / static_cast<double>(images_.count);
}

}  // namespace xbar::nn
