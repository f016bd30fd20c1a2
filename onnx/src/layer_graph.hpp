#pragma once

/// A network while it is read: steps that make values from former ones.

#include <memory>
#include <string>
#include <vector>

#include <xbar/nn/layers/join.hpp>
#include <xbar/nn/layers/layer.hpp>
#include <xbar/nn/model_file.hpp>
#include <xbar/nn/network.hpp>

#include "node_names.hpp"

namespace xbar::onnx {

/// A value of the network: number 0 is the input, k what step k makes.
struct Data {
  std::size_t value = 0;
  nn::Shape shape;  ///< for a batch of one
};

class LayerGraph {
 public:
  explicit LayerGraph(const nn::ModelLimits& limits) : limits_(limits) {}

  /// @throws InvalidArgument where the value does not fit, or beyond the limits
  Data add(std::unique_ptr<nn::Layer> layer, const Data& from);
  Data add(std::unique_ptr<nn::Join> join, const std::vector<Data>& from);

  /// The steps that `output` needs as a network: where all of it goes through one value, a layer
  /// after the other; parts with branches as nn::Graph. Empties the graph.
  [[nodiscard]] nn::Network build(const std::string& name, const nn::Shape& input_shape,
                                  const Data& output, NamePool& names);

 private:
  struct Step {
    std::unique_ptr<nn::Layer> layer;  // or
    std::unique_ptr<nn::Join> join;
    std::vector<std::size_t> from;
  };

  Data append(Step step, const nn::Shape& shape);
  [[nodiscard]] std::vector<bool> needed_for(std::size_t output) const;
  [[nodiscard]] std::unique_ptr<nn::Layer> part(const std::string& name,
                                                const std::vector<std::size_t>& steps);

  nn::ModelLimits limits_;
  std::vector<Step> steps_;  // step k makes value k + 1
};

}  // namespace xbar::onnx
