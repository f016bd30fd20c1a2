#pragma once

/// A layer's signals as pulse trains.

#include <cstdint>
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
  struct Listed {
    Index count;
    bool x_negative;  // any input
  };
  [[nodiscard]] Listed list_positions();

  device::PulseTrains trains_;
  RandomStream draws_;
  Patches patches_;
  const Tensor* x_ = nullptr;
  const Tensor* dy_ = nullptr;
  // Of positions with a gradient: where they are, the largest error and input of each.
  std::vector<std::int32_t> image_;
  std::vector<std::int32_t> position_;
  std::vector<float> largest_d_;
  std::vector<float> largest_x_;
};

}  // namespace xbar::nn
