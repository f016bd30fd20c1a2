#include "layer_graph.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/graph.hpp>

namespace xbar::onnx {

Data LayerGraph::append(Step step, const nn::Shape& shape) {
  double count = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) count *= static_cast<double>(shape[axis]);
  if (!(count <= static_cast<double>(limits_.values))) {
    throw InvalidArgument(fmt::format("expected at most {} values an image, found shape {}",
                                      limits_.values, to_string(shape.item())));
  }
  if (static_cast<Index>(steps_.size()) >= limits_.layers) {
    throw InvalidArgument(fmt::format("expected at most {} layers, found more", limits_.layers));
  }
  steps_.push_back(std::move(step));
  return {steps_.size(), shape};
}

Data LayerGraph::add(std::unique_ptr<nn::Layer> layer, const Data& from) {
  const nn::Shape shape = layer->output_shape(from.shape);
  return append({std::move(layer), {}, {from.value}}, shape);
}

Data LayerGraph::add(std::unique_ptr<nn::Join> join, const std::vector<Data>& from) {
  std::vector<nn::Shape> shapes;
  std::vector<std::size_t> values;
  for (const Data& one : from) {
    shapes.push_back(one.shape);
    values.push_back(one.value);
  }
  const nn::Shape shape = join->output_shape(shapes);
  return append({{}, std::move(join), std::move(values)}, shape);
}

std::vector<bool> LayerGraph::needed_for(std::size_t output) const {
  std::vector<bool> needed(steps_.size() + 1, false);
  needed[output] = true;
  for (std::size_t value = output; value > 0; --value) {
    if (!needed[value]) continue;
    for (const std::size_t from : steps_[value - 1].from) needed[from] = true;
  }
  return needed;
}

std::unique_ptr<nn::Layer> LayerGraph::part(const std::string& name,
                                            const std::vector<std::size_t>& steps) {
  if (steps.size() == 1 && steps_[steps.front()].layer) {
    return std::move(steps_[steps.front()].layer);
  }
  auto graph = std::make_unique<nn::Graph>(name);
  std::map<std::size_t, nn::Graph::Value> inside;  // the only other value is the part's input
  for (const std::size_t k : steps) {
    std::vector<nn::Graph::Value> from;
    for (const std::size_t value : steps_[k].from) {
      const auto found = inside.find(value);
      from.push_back(found == inside.end() ? nn::Graph::input : found->second);
    }
    inside[k + 1] = steps_[k].layer ? graph->add(std::move(steps_[k].layer), from.front())
                                    : graph->add(std::move(steps_[k].join), from);
  }
  return graph;
}

nn::Network LayerGraph::build(const std::string& name, const nn::Shape& input_shape,
                              const Data& output, NamePool& names) {
  const std::vector<bool> needed = needed_for(output.value);
  // The last step that uses a value: from there on it is not alive.
  std::vector<std::size_t> last_use(steps_.size() + 1, 0);
  for (std::size_t k = 0; k < output.value; ++k) {
    if (!needed[k + 1]) continue;
    for (const std::size_t from : steps_[k].from) last_use[from] = k;
  }
  nn::Network network(name, input_shape);
  std::vector<std::size_t> steps;
  std::size_t alive_until = last_use[0];
  for (std::size_t k = 0; k < output.value; ++k) {
    if (!needed[k + 1]) continue;
    steps.push_back(k);
    if (alive_until <= k) {
      const bool is_layer = steps.size() == 1 && steps_[k].layer;
      network.add(part(is_layer ? "" : names.claim("graph"), steps));
      steps.clear();
    }
    alive_until = std::max(alive_until, last_use[k + 1]);
  }
  steps_.clear();
  return network;
}

}  // namespace xbar::onnx
