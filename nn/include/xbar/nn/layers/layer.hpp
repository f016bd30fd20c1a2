#pragma once

/// What every layer of a network can do.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <xbar/nn/parameter.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// A differentiable map y = f(x) of batches. It keeps its results in buffers of its own, so that
/// after the first batch of a size a pass allocates nothing; the references that forward and
/// backward return stay valid until the next call.
class Layer {
 public:
  explicit Layer(std::string name) : name_(std::move(name)) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Shape of y for an x of shape `input`, both with the batch axis.
  /// @throws InvalidArgument naming the layer, the expected and the found shape.
  [[nodiscard]] virtual Shape output_shape(const Shape& input) const = 0;

  /// y = f(x). `x` must live, unchanged, until backward has run or last_input is no longer needed:
  /// it is not copied.
  /// @throws InvalidArgument as output_shape.
  const Tensor& forward(const Tensor& x);

  /// dx = (df/dx)^T dy at the x of the latest forward, and the gradients of the parameters, which
  /// replace the former ones.
  /// @throws InvalidArgument without a forward before or if dy has another shape than y.
  const Tensor& backward(const Tensor& dy);

  /// As backward, but leaves out dx, which the first layer of a network does not need.
  void backward_parameters(const Tensor& dy);

  /// The trainable arrays, in PyTorch's order (weight, bias). Stable for the life of the layer.
  [[nodiscard]] virtual std::vector<Parameter*> parameters() { return {}; }

  /// Whether there are any.
  [[nodiscard]] virtual bool is_trainable() const { return false; }

  /// What else the layer's state consists of. Stable for the life of the layer.
  [[nodiscard]] virtual std::vector<Buffer*> buffers() { return {}; }

  /// The layers that this one is made of, in the order in which they run.
  [[nodiscard]] virtual std::vector<Layer*> children() const { return {}; }

  /// Sets parameters and buffers to what an untrained network has. Draws come from
  /// RandomStream(seed, ...) under the layer's name.
  virtual void initialise(std::uint64_t seed);

  /// Training or evaluation mode (the default), of this layer and its children: batch
  /// normalisation and dropout differ between the two.
  void set_training(bool training);
  [[nodiscard]] bool is_training() const { return training_; }

  /// Whether this layer and its children keep their outputs after a forward pass (the default).
  /// Without, those that the next layer has read are freed: less memory, and no backward pass.
  void set_keeping(bool keeping);
  [[nodiscard]] bool is_keeping() const { return keeping_; }
  /// Frees the latest output, as if there had been no forward pass.
  void release();

  /// The x of the latest forward, for observers of input statistics.
  /// @throws InvalidArgument before the first forward.
  [[nodiscard]] const Tensor& last_input() const;

 protected:
  /// Writes y, which has its shape already.
  virtual void compute_forward(const Tensor& x, Tensor& y) = 0;
  /// Writes the parameters' gradients and, if dx is given (of x's shape), dx.
  virtual void compute_backward(const Tensor& x, const Tensor& y, const Tensor& dy, Tensor* dx) = 0;

 private:
  void check_backward(const Tensor& dy) const;

  std::string name_;
  bool training_ = false;
  bool keeping_ = true;
  const Tensor* input_ = nullptr;
  Tensor output_;
  Tensor input_gradient_;
};

struct Patches;

/// A layer with a weight matrix W, out x in, that may live in crossbar arrays, and a digital bias
/// b, which never does: crossbars compute W x, the bias is added after the converters.
///
/// forward multiplies by store.forward_weight(), backward by store.backward_weight(), or through
/// store.converted_forward() and converted_backward() where there are any; the gradient
/// dW = dy^T x (summed over the batch and, for convolutions, over positions) is the plain outer
/// product of what goes into the rows and the columns, as an in-array outer-product update forms
/// it.
///
/// Learned ranges of the converters [Esser2020] are parameters "NAME.dac_range" and
/// "NAME.adc_range", 1 x 1, that come and go with the weight store; 0 stands for a range that the
/// next forward pass measures. Their gradients carry Esser's factor. dx is 0 where the DAC clips.
class WeightedLayer : public Layer {
 public:
  /// Weight and bias are zero until set. `weight_shape` is PyTorch's, out first.
  WeightedLayer(std::string name, const Shape& weight_shape, bool with_bias);

  [[nodiscard]] Index out_features() const { return weight_.shape[0]; }
  [[nodiscard]] Index in_features() const { return weight_.shape.volume_from(1); }

  [[nodiscard]] WeightStore& weight_store() { return *weight_.store; }
  [[nodiscard]] const WeightStore& weight_store() const { return *weight_.store; }
  /// Puts the weight elsewhere, in crossbar arrays say, and returns the former store. The new one's
  /// own values count.
  /// @throws InvalidArgument if it is empty or its matrices are not out_features x in_features.
  std::unique_ptr<WeightStore> replace_weight_store(std::unique_ptr<WeightStore> store);

  [[nodiscard]] bool has_bias() const { return bias_.store != nullptr; }
  [[nodiscard]] Parameter& weight() { return weight_; }
  [[nodiscard]] const Parameter& weight() const { return weight_; }
  /// @pre has_bias()
  [[nodiscard]] Parameter& bias() { return bias_; }
  [[nodiscard]] const Parameter& bias() const { return bias_; }
  [[nodiscard]] std::vector<Parameter*> parameters() override;
  [[nodiscard]] bool is_trainable() const override { return true; }

  /// Kaiming's initialisation for ReLU networks [He2015]: each weight uniform in
  /// +-sqrt(6 / in_features), biases zero. Weight i, row-major, is draw i of
  /// RandomStream(seed, "init/" + name()).
  void initialise(std::uint64_t seed) override;

 protected:
  /// y from x through the store's converters, bias and all, or, without any, by `plain`.
  void multiply_forward(const Patches& patches, const Tensor& x, Tensor& y,
                        const std::function<void()>& plain);
  /// *dx, where wanted, through the store's converters or by `plain`, and the ranges' gradients.
  void multiply_backward(const Patches& patches, const Tensor& x, const Tensor& dy, Tensor* dx,
                         const std::function<void(Tensor& dx)>& plain);

 private:
  Parameter weight_;
  Parameter bias_;
  Parameter dac_range_;  // no store: not learned
  Parameter adc_range_;
  Parameter weight_range_;
  const mapping::ConvertedRead* read_ = nullptr;  // what the latest forward pass went through
  Tensor adc_slope_;                              // dy/d adc_range of the latest forward pass
  Tensor unwanted_gradient_;                      // dx of a first layer, for its DAC's range
};

}  // namespace xbar::nn
