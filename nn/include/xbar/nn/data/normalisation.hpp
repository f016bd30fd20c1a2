#pragma once

/// Pixels shifted and scaled by channel.

#include <vector>

#include <xbar/core/matrix.hpp>

namespace xbar::nn {

struct ImageSet;
struct DataSet;

/// pixel <- (pixel - mean) / deviation, of pixels in [0, 1]. Empty lists leave pixels as they are,
/// which is the default throughout: pixels become voltages, and wordline drivers of one polarity
/// give none below zero. Networks trained elsewhere often want a mean of 0 and a deviation of 1;
/// their arrays need drivers of both polarities.
struct Normalisation {
  std::vector<float> mean;       ///< one a channel, or one for all
  std::vector<float> deviation;  ///< as many, each > 0

  [[nodiscard]] bool empty() const { return mean.empty() && deviation.empty(); }
  /// What a black pixel becomes, one value a channel.
  [[nodiscard]] std::vector<float> black(Index channels) const;
};

/// Normalises both splits and notes it in data.normalisation.
/// @throws InvalidArgument for lists of another length than 1 or the number of channels, of
///         different lengths, values that are not finite, deviations <= 0, or data that are
///         normalised already.
void normalise(DataSet& data, const Normalisation& normalisation);

}  // namespace xbar::nn
