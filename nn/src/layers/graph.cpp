#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/graph.hpp>

#include "../chunks.hpp"

namespace xbar::nn {

Graph::Value Graph::append(Step step) {
  for (const Value from : step.from) {
    if (from <= steps_.size()) continue;
    throw InvalidArgument(
        fmt::format("{}: expected a value of 0 to {} as input of a step, found {}", name(),
                    steps_.size(), from));
  }
  steps_.push_back(std::move(step));
  return steps_.size();
}

Graph::Value Graph::add(std::unique_ptr<Layer> layer, Value from) {
  layer->set_training(is_training());
  return append({.layer = std::move(layer), .join = {}, .from = {from}, .joined = {}});
}

Graph::Value Graph::add(std::unique_ptr<Join> join, const std::vector<Value>& from) {
  if (from.empty()) {
    throw InvalidArgument(
        fmt::format("{}: expected at least one input of {}, found none", name(), join->name()));
  }
  return append({.layer = {}, .join = std::move(join), .from = from, .joined = {}});
}

Shape Graph::output_shape(const Shape& input_shape) const {
  if (steps_.empty()) {
    throw InvalidArgument(fmt::format("{}: expected at least one step, found none", name()));
  }
  std::vector<Shape> shapes{input_shape};
  for (const Step& step : steps_) {
    std::vector<Shape> inputs;
    for (const Value from : step.from) inputs.push_back(shapes[from]);
    shapes.push_back(step.layer ? step.layer->output_shape(inputs.front())
                                : step.join->output_shape(inputs));
  }
  return shapes.back();
}

std::vector<Layer*> Graph::children() const {
  std::vector<Layer*> result;
  for (const Step& step : steps_) {
    if (step.layer) result.push_back(step.layer.get());
  }
  return result;
}

std::vector<Parameter*> Graph::parameters() {
  std::vector<Parameter*> result;
  for (Layer* layer : children()) {
    for (Parameter* parameter : layer->parameters()) result.push_back(parameter);
  }
  return result;
}

std::vector<Buffer*> Graph::buffers() {
  std::vector<Buffer*> result;
  for (Layer* layer : children()) {
    for (Buffer* buffer : layer->buffers()) result.push_back(buffer);
  }
  return result;
}

bool Graph::is_trainable() const {
  const std::vector<Layer*> inside = children();
  return std::any_of(inside.begin(), inside.end(),
                     [](const Layer* layer) { return layer->is_trainable(); });
}

const Tensor& Graph::value(Value k, const Tensor& x) const {
  return k == input ? x : *steps_[k - 1].value;
}

void Graph::compute_forward(const Tensor& x, Tensor& y) {
  for (Step& step : steps_) {
    if (step.layer) {
      step.value = &step.layer->forward(value(step.from.front(), x));
      continue;
    }
    std::vector<const Tensor*> inputs;
    std::vector<Shape> shapes;
    for (const Value from : step.from) {
      inputs.push_back(&value(from, x));
      shapes.push_back(inputs.back()->shape());
    }
    step.joined.resize(step.join->output_shape(shapes));
    step.join->forward(inputs, step.joined);
    step.value = &step.joined;
  }
  const Tensor& last = *steps_.back().value;
  std::copy(last.data(), last.data() + last.size(), y.data());
}

void Graph::Gradient::add(const Tensor& part) {
  if (total == nullptr) {
    total = &part;
    return;
  }
  const float* one = total->data();
  const float* other = part.data();
  sum.resize(part.shape());
  float* to = sum.data();
  for_chunks(part.size(), 1, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) to[i] = one[i] + other[i];
  });
  total = &sum;
}

void Graph::compute_backward(const Tensor& x, const Tensor& /*y*/, const Tensor& dy, Tensor* dx) {
  gradients_.resize(steps_.size() + 1);
  for (Gradient& gradient : gradients_) gradient.total = nullptr;
  gradients_.back().add(dy);
  for (Value k = steps_.size(); k > input; --k) {
    const Step& step = steps_[k - 1];
    const Tensor& gradient = *gradients_[k].total;
    if (step.layer) {
      const Value from = step.from.front();
      if (from == input && dx == nullptr) {
        step.layer->backward_parameters(gradient);
      } else {
        gradients_[from].add(step.layer->backward(gradient));
      }
      continue;
    }
    std::vector<Shape> shapes;
    for (const Value from : step.from) shapes.push_back(value(from, x).shape());
    const std::vector<const Tensor*> parts = step.join->backward(shapes, gradient);
    for (std::size_t i = 0; i < parts.size(); ++i) gradients_[step.from[i]].add(*parts[i]);
  }
  if (dx == nullptr) return;
  const Tensor& total = *gradients_[input].total;
  std::copy(total.data(), total.data() + total.size(), dx->data());
}

}  // namespace xbar::nn
