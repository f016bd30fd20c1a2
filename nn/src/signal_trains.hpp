#pragma once

/// A layer's signals as pulse trains.

#include <vector>

#include <xbar/core/random.hpp>
#include <xbar/device/pulse_trains.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/nn/tensor.hpp>

#include "layers/im2col.hpp"

namespace xbar::nn {

/// Updates of one array by the signals of one layer. A convolution's positions count as samples;
/// those without any gradient send no pulses and are left out.
class SignalTrains {
 public:
  SignalTrains(Index outputs, Index inputs, const device::PulseTrainOptions& options,
               const RandomStream& draws);

  /// Remembers where they are.
  void take(const Patches& patches, const Tensor& x, const Tensor& dy);

  /// One update of `matrix` by -learning_rate dy^T x, with trains drawn for it.
  void pulse(mapping::CrossbarMatrix& matrix, double learning_rate);

 private:
  void add(double rate, const RandomStream& draws);

  device::PulseTrains trains_;
  RandomStream draws_;
  Patches patches_;
  const Tensor* x_ = nullptr;
  const Tensor* dy_ = nullptr;
  std::vector<std::vector<Index>> positions_;  // with a gradient, of each image
  std::vector<float> inputs_;                  // such positions x inputs
  std::vector<float> outputs_;                 // such positions x outputs
};

}  // namespace xbar::nn
