#pragma once

/// The trainable arrays of a network.

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

}  // namespace xbar::nn
