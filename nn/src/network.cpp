#include <set>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/network.hpp>

#include "layers_of.hpp"
#include "named_tensors.hpp"

namespace xbar::nn {
Network::Network(std::string name, const Shape& input_shape)
    : name_(std::move(name)), input_shape_(input_shape), output_shape_(input_shape) {}

Layer& Network::add(std::unique_ptr<Layer> layer) {
  std::set<std::string> names;
  for (const auto& own : layers()) {
    for_each_layer(*own, [&](Layer& other) { names.insert(other.name()); });
  }
  for_each_layer(*layer, [&](Layer& other) {
    if (names.insert(other.name()).second) return;
    throw InvalidArgument(fmt::format(
        "network {}: expected layers of different names, found {} twice", name_, other.name()));
  });
  output_shape_ = layer->output_shape(output_shape_.batch(1)).item();
  layer->set_training(training_);
  return chain_.add(std::move(layer));
}

const Tensor& Network::forward(const Tensor& x) {
  if (x.shape().rank() == 0 || x.shape().item() != input_shape_) {
    throw InvalidArgument(fmt::format(
        "network {}: expected images of shape {} behind the batch axis, found a batch of shape {}",
        name_, to_string(input_shape_), to_string(x.shape())));
  }
  return chain_.forward(x);
}

void Network::backward(const Tensor& dy) { chain_.backward_parameters(dy); }

void Network::set_keeping(bool keeping) {
  for (const auto& layer : layers()) layer->set_keeping(keeping);
}

void Network::set_training(bool training) {
  training_ = training;
  for (const auto& layer : layers()) layer->set_training(training);
}

std::vector<Parameter*> Network::parameters() { return chain_.parameters(); }

std::vector<Buffer*> Network::buffers() const { return chain_.buffers(); }

std::vector<WeightedLayer*> Network::weighted_layers() {
  return layers_of<WeightedLayer>(layers());
}

std::vector<const WeightedLayer*> Network::weighted_layers() const {
  const std::vector<WeightedLayer*> found = layers_of<WeightedLayer>(layers());
  return {found.begin(), found.end()};
}

TensorFile Network::state() const {
  TensorFile file;
  file.metadata["model"] = name_;
  for (const Parameter* parameter : chain_.parameters()) {
    file.tensors[parameter->name] = to_named_tensor(parameter->store->weight(), parameter->shape);
  }
  for (const Buffer* buffer : buffers()) {
    file.tensors[buffer->name] = to_named_tensor(buffer->values, buffer->shape);
  }
  return file;
}

void Network::load_state(const TensorFile& file) {
  const std::string what = fmt::format("weights of {}", name_);
  const std::vector<Parameter*> all = parameters();
  std::map<std::string, Shape> expected;
  for (const Parameter* parameter : all) expected[parameter->name] = parameter->shape;
  for (const Buffer* buffer : buffers()) {
    if (buffer->optional && !file.tensors.contains(buffer->name)) continue;
    expected[buffer->name] = buffer->shape;
  }
  check_named_tensors(what, expected, file.tensors);
  for (Parameter* parameter : all) {
    parameter->store->set_weight(to_matrix(file.tensors.at(parameter->name), parameter->shape));
  }
  for (Buffer* buffer : buffers()) {
    const auto found = file.tensors.find(buffer->name);
    if (found == file.tensors.end()) {
      buffer->values.setZero();
    } else {
      buffer->values = to_matrix(found->second, buffer->shape);
    }
  }
}

}  // namespace xbar::nn
