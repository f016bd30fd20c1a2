#pragma once

/// How far a network's outputs are from those of its ideal copy.

#include <vector>

#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// E = mean over images of |s f - f'|^2 / 2: f the outputs less their mean over the classes, f'
/// those of the ideal network, s the factor, common to all images, that makes E least. Neither the
/// mean nor s moves a decision.
class OutputError {
 public:
  /// @param images  outlive this
  OutputError(Network& ideal, const ImageSet& images);

  [[nodiscard]] double of(Network& network);
  /// s of the latest network.
  [[nodiscard]] double scale() const { return scale_; }
  /// dE/dW of every weighted layer, with the network's own s.
  [[nodiscard]] std::vector<MatrixF> gradients(Network& network, double scale) const;

 private:
  const ImageSet& images_;
  MatrixF wanted_;  // images x classes
  double scale_ = 1;
};

}  // namespace xbar::nn
