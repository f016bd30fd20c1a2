#pragma once

/// How much each output column of each layer matters to the loss.

#include <string>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// Sensitivities of one weighted layer, one an output (a kernel, a column of the array).
struct ColumnSensitivity {
  std::string layer;
  std::vector<double> values;  ///< size out_features, >= 0
};

/// First-order Taylor sensitivity of the loss to a relative error of a column,
///   S_k = mean over images |sum over the column's weights of W_kl dL/dW_kl|,
/// which is |dL/dy_k . y_k| of the column's output without bias. Our choice; X-CHANGR's own
/// definition is not published [Agrawal2019].
/// @param images  calibration images, never the test set; the first `count` are used
/// @throws InvalidArgument if there are none
[[nodiscard]] std::vector<ColumnSensitivity> column_sensitivity(
    Network& network, const ImageSet& images, Index count, const ProgressCallback& progress = {});

}  // namespace xbar::nn
