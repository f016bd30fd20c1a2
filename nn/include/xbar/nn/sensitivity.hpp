#pragma once

/// How much each column, row and weight of each layer matters to the loss.

#include <string>
#include <string_view>
#include <vector>

#include <xbar/core/progress.hpp>
#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// What counts as sensitivity, t = sum of w dL/dw being the change of one image's loss L, to first
/// order, with a relative error of the weights summed over. Of a column t = dL/dy . y, y its output
/// without bias.
enum class SensitivityKind {
  taylor,       ///< mean over images of |t|
  fisher,       ///< mean over images of t^2 / 2, the second order with the Fisher information as
                ///< curvature [Martens2015]
  error_aware,  ///< taylor with the errors that the weights have on their arrays in place of the
                ///< weights
  measured,     ///< what the loss rises by if the line alone is on the worst slot of an array
};

/// @throws InvalidArgument for a name that is not taylor, fisher, error-aware or measured.
[[nodiscard]] SensitivityKind parse_sensitivity_kind(std::string_view name);

/// Sensitivities of one weighted layer, >= 0.
struct LayerSensitivity {
  std::string layer;
  std::vector<double> columns;  ///< one an output (a kernel, a column of the array)
  std::vector<double> rows;     ///< one an input
  MatrixF weights;              ///< outputs x inputs; empty if they were not looked at
};

/// Sensitivities of every weighted layer as the network is, on arrays or not. Our choice;
/// X-CHANGR's own definition is not published [Agrawal2019].
/// @param images  calibration images, never the test set; the first `count` are used
/// @throws InvalidArgument if there are none
[[nodiscard]] std::vector<LayerSensitivity> layer_sensitivity(
    Network& network, const ImageSet& images, Index count,
    SensitivityKind kind = SensitivityKind::taylor, const ProgressCallback& progress = {});

/// SensitivityKind::error_aware: t = sum of D dL/dw.
/// @param errors  D of each weighted layer, outputs x inputs
/// @throws InvalidArgument if there are no images, or for errors of other sizes
[[nodiscard]] std::vector<LayerSensitivity> error_sensitivity(
    Network& network, const ImageSet& images, Index count, const std::vector<MatrixF>& errors,
    const ProgressCallback& progress = {});

/// What measured_sensitivity tries in one layer.
struct LineTrial {
  double column_share = 0;  ///< of each column in turn, taken from its weights
  double row_share = 0;     ///< of each row
};

/// SensitivityKind::measured: what the mean loss rises by, or 0 where it falls. The weights that
/// count are the effective ones, converters and noise aside.
/// @param trials  one a weighted layer; a share of 0 leaves those lines at 0
/// @throws InvalidArgument if there are no images, or for another number of trials
[[nodiscard]] std::vector<LayerSensitivity> measured_sensitivity(
    Network& network, const ImageSet& images, Index count, const std::vector<LineTrial>& trials,
    const ProgressCallback& progress = {});

}  // namespace xbar::nn
