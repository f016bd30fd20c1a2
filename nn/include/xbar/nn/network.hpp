#pragma once

/// A named chain of layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <xbar/core/safetensors.hpp>
#include <xbar/nn/layers/chain.hpp>
#include <xbar/nn/layers/layer.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// Layers applied one after the other, with the shape of what goes in.
class Network {
 public:
  /// @param name         "lenet5", say; written into files
  /// @param input_shape  of one image, without the batch axis: (channels, height, width)
  Network(std::string name, const Shape& input_shape);

  /// Appends a layer.
  /// @throws InvalidArgument if its name or that of a layer inside it is taken, or if it does not
  /// fit the former layer's output.
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
  [[nodiscard]] const std::vector<std::unique_ptr<Layer>>& layers() const {
    return chain_.layers();
  }

  /// Output for a batch (N, input shape); valid until the next call. `x` must live until backward
  /// has run.
  /// @throws InvalidArgument if x does not have the network's input shape.
  const Tensor& forward(const Tensor& x);

  /// Gradients of all parameters from dy = d loss / d output. The gradient of the network's input
  /// is not formed.
  void backward(const Tensor& dy);

  /// Layer::set_keeping of all layers.
  void set_keeping(bool keeping);
  /// Training or evaluation mode (the default) of all layers, see Layer::set_training.
  void set_training(bool training);
  [[nodiscard]] bool is_training() const { return training_; }

  /// All trainable arrays, in the order of the layers. Stable while no layer is added.
  [[nodiscard]] std::vector<Parameter*> parameters();

  /// What else belongs to the state, in the order of the layers.
  [[nodiscard]] std::vector<Buffer*> buffers() const;

  /// The layers whose weight matrix may be put into crossbar arrays, those inside other layers
  /// too, in order.
  [[nodiscard]] std::vector<WeightedLayer*> weighted_layers();
  [[nodiscard]] std::vector<const WeightedLayer*> weighted_layers() const;

  /// Stored parameters and buffers under PyTorch's names and shapes; metadata "model" = name().
  [[nodiscard]] TensorFile state() const;

  /// Sets every parameter (WeightStore::set_weight) and buffer from a file; metadata are not
  /// looked at.
  /// Nothing changes if it throws for the file's contents.
  /// @throws InvalidArgument for a missing, an unknown or a mis-shaped tensor, naming the tensor,
  ///         the expected and the found shape.
  void load_state(const TensorFile& file);

 private:
  std::string name_;
  Shape input_shape_;
  Shape output_shape_;
  Chain chain_;
  bool training_ = false;
};

/// While it lives, a network is in training or evaluation mode; afterwards in the former one.
class ModeScope {
 public:
  ModeScope(Network& network, bool training) : network_(network), before_(network.is_training()) {
    network_.set_training(training);
  }
  ~ModeScope() { network_.set_training(before_); }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;

 private:
  Network& network_;
  bool before_;
};

}  // namespace xbar::nn
