#include <algorithm>

#include <xbar/nn/layers/chain.hpp>

namespace xbar::nn {

Layer& Chain::add(std::unique_ptr<Layer> layer) {
  layers_.push_back(std::move(layer));
  return *layers_.back();
}

Shape Chain::output_shape(Shape shape) const {
  for (const auto& layer : layers_) shape = layer->output_shape(shape);
  return shape;
}

const Tensor& Chain::forward(const Tensor& x) {
  const Tensor* value = &x;
  Layer* before = nullptr;
  for (const auto& layer : layers_) {
    value = &layer->forward(*value);
    if (before != nullptr && !before->is_keeping()) before->release();
    before = layer.get();
  }
  return *value;
}

void Chain::release() {
  for (const auto& layer : layers_) layer->release();
}

const Tensor& Chain::backward(const Tensor& dy) {
  const Tensor* gradient = &dy;
  for (auto layer = layers_.end(); layer != layers_.begin();) {
    gradient = &(*--layer)->backward(*gradient);
  }
  return *gradient;
}

void Chain::backward_parameters(const Tensor& dy) {
  const auto first = std::find_if(layers_.begin(), layers_.end(),
                                  [](const auto& layer) { return layer->is_trainable(); });
  const Tensor* gradient = &dy;
  for (auto layer = layers_.end(); layer != first;) {
    --layer;
    if (layer == first) {
      (*layer)->backward_parameters(*gradient);
    } else {
      gradient = &(*layer)->backward(*gradient);
    }
  }
}

std::vector<Parameter*> Chain::parameters() const {
  std::vector<Parameter*> result;
  for (const auto& layer : layers_) {
    for (Parameter* parameter : layer->parameters()) result.push_back(parameter);
  }
  return result;
}

std::vector<Buffer*> Chain::buffers() const {
  std::vector<Buffer*> result;
  for (const auto& layer : layers_) {
    for (Buffer* buffer : layer->buffers()) result.push_back(buffer);
  }
  return result;
}

}  // namespace xbar::nn
