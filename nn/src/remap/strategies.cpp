#include "strategies.hpp"

#include <xbar/mapping/remap/line_loss.hpp>

namespace xbar::nn {

std::vector<LayerSensitivity> sensitivities(const RemapJob& job, Network& network) {
  const Index count = job.images.count;
  switch (job.options.sensitivity) {
    case SensitivityKind::error_aware: {
      std::vector<MatrixF> errors;
      for (const CrossbarLayer& layer : job.layers) {
        errors.push_back(layer.matrix->forward_weight() - layer.matrix->weight());
      }
      return error_sensitivity(network, job.images, count, errors, job.progress);
    }
    case SensitivityKind::measured: {
      std::vector<LineTrial> trials;
      for (const CrossbarLayer& layer : job.layers) {
        const mapping::LineLoss loss = mapping::line_loss(*layer.matrix);
        const mapping::RemapFreedoms& free = job.options.freedoms;
        trials.push_back({free.columns ? loss.bitline.maxCoeff() : 0.0,
                          free.rows ? loss.wordline.maxCoeff() : 0.0});
      }
      return measured_sensitivity(network, job.images, count, trials, job.progress);
    }
    case SensitivityKind::taylor:
    case SensitivityKind::fisher:
      break;
  }
  return layer_sensitivity(network, job.images, count, job.options.sensitivity, job.progress);
}

mapping::ArrayOrder order_by(const LayerSensitivity& sensitivity,
                             const mapping::CrossbarMatrix& matrix,
                             const mapping::RemapFreedoms& freedoms) {
  mapping::ArrayOrder order = matrix.order();
  if (freedoms.columns) {
    order.slot_of_output =
        mapping::order_by_sensitivity(sensitivity.columns, matrix.outputs_per_tile());
  }
  if (freedoms.rows) {
    order.slot_of_input =
        mapping::rows_by_sensitivity(sensitivity.rows, matrix.technology().tile_rows);
  }
  return order;
}

}  // namespace xbar::nn
