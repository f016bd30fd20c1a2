#pragma once

/// How far a network's outputs are from those of its ideal copy.

#include <vector>

#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// E = mean over images of |f - f'|^2 / 2, f the outputs less their mean over the classes, which
/// moves no decision, f' those of the ideal network.
class OutputError {
 public:
  /// @param images  outlive this
  OutputError(Network& ideal, const ImageSet& images);

  [[nodiscard]] double of(Network& network) const;
  /// The same; `gradients` gets dE/dW of every weighted layer.
  double of(Network& network, std::vector<MatrixF>& gradients) const;

 private:
  double pass(Network& network, std::vector<MatrixF>* gradients) const;

  const ImageSet& images_;
  MatrixF wanted_;  // images x classes
};

}  // namespace xbar::nn
