#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/network.hpp>

#include "named_tensors.hpp"

namespace xbar::nn {

Network::Network(std::string name, const Shape& input_shape)
    : name_(std::move(name)), input_shape_(input_shape), output_shape_(input_shape) {}

Layer& Network::add(std::unique_ptr<Layer> layer) {
  const bool taken = std::any_of(layers_.begin(), layers_.end(),
                                 [&](const auto& other) { return other->name() == layer->name(); });
  if (taken) {
    throw InvalidArgument(fmt::format(
        "network {}: expected layers of different names, found {} twice", name_, layer->name()));
  }
  output_shape_ = layer->output_shape(output_shape_.batch(1)).item();
  layers_.push_back(std::move(layer));
  return *layers_.back();
}

const Tensor& Network::forward(const Tensor& x) {
  if (x.shape().rank() == 0 || x.shape().item() != input_shape_) {
    throw InvalidArgument(fmt::format(
        "network {}: expected images of shape {} behind the batch axis, found a batch of shape {}",
        name_, to_string(input_shape_), to_string(x.shape())));
  }
  const Tensor* value = &x;
  for (const auto& layer : layers_) value = &layer->forward(*value);
  return *value;
}

void Network::backward(const Tensor& dy) {
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

std::vector<Parameter*> Network::parameters() {
  std::vector<Parameter*> result;
  for (const auto& layer : layers_) {
    for (Parameter* parameter : layer->parameters()) result.push_back(parameter);
  }
  return result;
}

std::vector<WeightedLayer*> Network::weighted_layers() {
  std::vector<WeightedLayer*> result;
  for (const auto& layer : layers_) {
    if (auto* weighted = dynamic_cast<WeightedLayer*>(layer.get())) result.push_back(weighted);
  }
  return result;
}

std::vector<const WeightedLayer*> Network::weighted_layers() const {
  std::vector<const WeightedLayer*> result;
  for (const auto& layer : layers_) {
    if (const auto* weighted = dynamic_cast<const WeightedLayer*>(layer.get())) {
      result.push_back(weighted);
    }
  }
  return result;
}

TensorFile Network::state() const {
  TensorFile file;
  file.metadata["model"] = name_;
  for (const auto& layer : layers_) {
    for (const Parameter* parameter : layer->parameters()) {
      file.tensors[parameter->name] = to_named_tensor(parameter->store->weight(), parameter->shape);
    }
  }
  return file;
}

void Network::load_state(const TensorFile& file) {
  const std::string what = fmt::format("weights of {}", name_);
  const std::vector<Parameter*> all = parameters();
  std::map<std::string, Shape> expected;
  for (const Parameter* parameter : all) expected[parameter->name] = parameter->shape;
  check_named_tensors(what, expected, file.tensors);
  for (Parameter* parameter : all) {
    parameter->store->set_weight(to_matrix(file.tensors.at(parameter->name), parameter->shape));
  }
}

}  // namespace xbar::nn
