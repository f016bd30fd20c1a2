#pragma once

/// Layers joined in any way without cycles.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <xbar/nn/layers/join.hpp>
#include <xbar/nn/layers/layer.hpp>

namespace xbar::nn {

/// Values v_0 = x, v_1, v_2, ...: step k makes v_k from former values, by a layer from one or by a
/// join from several. y is the latest value. Backward adds up what comes back to a value from all
/// steps that use it:
///
///     d loss / d v_j = sum over the steps k that use v_j of (dv_k / dv_j)^T d loss / d v_k.
///
/// Layers inside carry their full names.
class Graph final : public Layer {
 public:
  using Value = std::size_t;
  static constexpr Value input = 0;

  using Layer::Layer;

  /// Appends a step. @return its value
  /// @pre every value but the last is used by a later step before forward runs
  /// @throws InvalidArgument for a value that is not there (yet).
  Value add(std::unique_ptr<Layer> layer, Value from);
  Value add(std::unique_ptr<Join> join, const std::vector<Value>& from);

  /// @throws InvalidArgument also for a graph without steps.
  [[nodiscard]] Shape output_shape(const Shape& input_shape) const override;
  [[nodiscard]] std::vector<Parameter*> parameters() override;
  [[nodiscard]] bool is_trainable() const override;
  [[nodiscard]] std::vector<Buffer*> buffers() override;
  [[nodiscard]] std::vector<Layer*> children() const override;

 protected:
  void compute_forward(const Tensor& x, Tensor& y) override;
  void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) override;

 private:
  struct Step {
    std::unique_ptr<Layer> layer;  // or
    std::unique_ptr<Join> join;
    std::vector<Value> from;
    Tensor joined;                  // of a join
    const Tensor* value = nullptr;  // of the latest forward
  };
  // d loss / d value while backward runs.
  struct Gradient {
    const Tensor* total = nullptr;  // none yet
    Tensor sum;                     // where several parts were added up
    void add(const Tensor& part);
  };

  Value append(Step step);
  [[nodiscard]] const Tensor& value(Value k, const Tensor& x) const;

  std::vector<Step> steps_;
  std::vector<Gradient> gradients_;
};

}  // namespace xbar::nn
