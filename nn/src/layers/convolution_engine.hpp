#pragma once

/// The three products of a convolution, by oneDNN.

#include <memory>
#include <string>

#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// The products of Conv2d with a given W, out x (in kernel_height kernel_width), row-major. What is
/// summed, and in which order, depends on the shapes alone, not on the number of threads. Errors of
/// single values are up to 4e-6 of the largest of their array.
class ConvolutionEngine {
 public:
  /// @param name  of the layer, for messages
  ConvolutionEngine(std::string name, const Conv2dOptions& options);
  ~ConvolutionEngine();

  /// y from x. `b` is not read without a bias.
  /// @throws NumericalError if oneDNN fails; so do the others
  void forward(const Tensor& x, const float* w, const float* b, Tensor& y);
  /// dW and, with a bias, db; what they held before is lost.
  void weight_gradient(const Tensor& x, const Tensor& dy, float* dw, float* db);
  /// dx from dy.
  void input_gradient(const Tensor& dy, const float* w, Tensor& dx);

 private:
  struct Plans;

  std::string name_;
  Conv2dOptions options_;
  std::unique_ptr<Plans> plans_;
};

}  // namespace xbar::nn
