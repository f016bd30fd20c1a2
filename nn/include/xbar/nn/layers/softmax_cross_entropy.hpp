#pragma once

/// The classification loss.

#include <cstdint>
#include <span>
#include <vector>

#include <xbar/nn/tensor.hpp>

namespace xbar::nn {

/// loss = mean over n of -log p(n, label_n), p(n, k) = exp(z(n,k)) / sum over l of exp(z(n,l)).
/// The gradient is dz = (p - onehot(label)) / N. Not a Layer: it ends the network.
class SoftmaxCrossEntropy {
 public:
  /// The mean loss of a batch of logits z, N x classes; summed in double precision.
  /// @param batch  N of the formulas where these rows are a part of a batch, whose other parts
  /// other
  ///               processes have; 0: they are all of it
  /// @throws InvalidArgument for an empty batch, a label that is not below `classes`, or
  ///         another number of labels than rows.
  double forward(const Tensor& logits, std::span<const std::uint8_t> labels, Index batch = 0);

  /// d loss / d logits of the latest forward. @throws InvalidArgument before the first forward.
  const Tensor& backward();

  /// Of the latest forward: 1 where the largest logit (the first of equal ones) is the label's;
  /// 0 for rows with a NaN.
  [[nodiscard]] std::span<const std::uint8_t> correct() const { return correct_; }
  /// Number of ones in correct().
  [[nodiscard]] Index correct_count() const;

 private:
  Tensor gradient_;
  std::vector<std::uint8_t> correct_;
};

}  // namespace xbar::nn
