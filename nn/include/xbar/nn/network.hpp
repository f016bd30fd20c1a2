#pragma once

/// A chain of layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/layers/layer.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// Layers applied one after the other.
class Network {
 public:
  /// @param name         "lenet5", say; written into files
  /// @param input_shape  of one image, without the batch axis: (channels, height, width)
  Network(std::string name, const Shape& input_shape);

  /// Appends a layer.
  /// @throws InvalidArgument if the name is taken or the layer does not fit the former one's
  /// output.
  Layer& add(std::unique_ptr<Layer> layer);

  /// Constructs and appends a layer: network.emplace<Linear>("fc1", 784, 256).
  template <typename LayerType, typename... Arguments>
  LayerType& emplace(Arguments&&... arguments) {
    auto layer = std::make_unique<LayerType>(std::forward<Arguments>(arguments)...);
    LayerType& result = *layer;
    add(std::move(layer));
    return result;
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Shape of one input, without the batch axis.
  [[nodiscard]] const Shape& input_shape() const { return input_shape_; }
  /// Shape of one output, without the batch axis: (classes).
  [[nodiscard]] const Shape& output_shape() const { return output_shape_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }

  /// Output for a batch (N, input shape); valid until the next call. `x` must live until backward
  /// has run.
  /// @throws InvalidArgument if x does not have the network's input shape.
  const Tensor& forward(const Tensor& x);

  /// Gradients of all parameters from dy = d loss / d output. The gradient of the network's input
  /// is not formed.
  void backward(const Tensor& dy);

  /// All trainable arrays, in the order of the layers. Stable while no layer is added.
  [[nodiscard]] std::vector<Parameter*> parameters();

  /// The layers whose weight matrix may be put into crossbar arrays, in order.
  [[nodiscard]] std::vector<WeightedLayer*> weighted_layers();
  [[nodiscard]] std::vector<const WeightedLayer*> weighted_layers() const;

  /// Stored weights and biases under PyTorch's names and shapes; metadata "model" = name().
  [[nodiscard]] TensorFile state() const;

  /// Sets every parameter (WeightStore::set_weight) from a file; metadata are not looked at.
  /// Nothing changes if it throws for the file's contents.
  /// @throws InvalidArgument for a missing, an unknown or a mis-shaped tensor, naming the tensor,
  ///         the expected and the found shape.
  void load_state(const TensorFile& file);

 private:
  std::string name_;
  Shape input_shape_;
  Shape output_shape_;
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace xbar::nn
