#pragma once

/// The arrays of a network: those that are trained and those that are only kept.

#include <memory>
#include <string>

#include <xbar/core/matrix.hpp>
#include <xbar/nn/tensor.hpp>
#include <xbar/nn/weight_store.hpp>

namespace xbar::nn {

/// One trainable array and its gradient. The layer owns it; its address never changes, `store` may.
struct Parameter {
  std::string name;  ///< PyTorch's: "fc1.weight", "fc1.bias"
  Shape shape;       ///< PyTorch's: (out, in), (out, in, kh, kw) or (out)
  /// The values as a matrix of shape[0] rows and all other axes as columns (a bias has one column).
  std::unique_ptr<WeightStore> store;
  /// d loss / d values of the latest backward pass, the same matrix form.
  MatrixF gradient;
};

/// An array that belongs to a network's state but that no optimiser changes: running statistics,
/// counters. The layer owns it; its address never changes.
struct Buffer {
  std::string name;       ///< PyTorch's where it has one: "bn1.running_mean"
  Shape shape;            ///< (n), or no axes for a counter
  MatrixF values;         ///< n x 1; 1 x 1 for a counter
  bool optional = false;  ///< files may lack it; the values are 0 then
};

}  // namespace xbar::nn
