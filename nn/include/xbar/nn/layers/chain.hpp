#pragma once

/// Layers in a row, the part that networks and branching layers have in common.

#include <memory>
#include <utility>
#include <vector>

#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// y = f_k(... f_2(f_1(x))). Without layers, y is x.
class Chain {
 public:
  Layer& add(std::unique_ptr<Layer> layer);

  /// Constructs and appends a layer: chain.emplace<Relu>("relu1").
  template <typename LayerType, typename... Arguments>
  LayerType& emplace(Arguments&&... arguments) {
    auto layer = std::make_unique<LayerType>(std::forward<Arguments>(arguments)...);
    LayerType& result = *layer;
    add(std::move(layer));
    return result;
  }

  [[nodiscard]] const std::vector<std::unique_ptr<Layer>>& layers() const { return layers_; }

  /// As Layer::output_shape, through all layers.
  [[nodiscard]] Shape output_shape(Shape shape) const;
  /// y, valid until the next call. `x` must live until backward has run.
  const Tensor& forward(const Tensor& x);
  /// dx from dy, and the gradients of the parameters.
  const Tensor& backward(const Tensor& dy);
  /// The gradients of the parameters only.
  void backward_parameters(const Tensor& dy);

  /// Layer::release() of all layers.
  void release();

  [[nodiscard]] std::vector<Parameter*> parameters() const;
  [[nodiscard]] std::vector<Buffer*> buffers() const;

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace xbar::nn
