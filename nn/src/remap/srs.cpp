#include "strategies.hpp"

namespace xbar::nn {

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

void remap_static(const RemapJob& job, const std::vector<LayerSensitivity>& ideal) {
  for (std::size_t k = 0; k < job.layers.size(); ++k) {
    mapping::CrossbarMatrix& matrix = *job.layers[k].matrix;
    matrix.set_order(order_by(ideal[k], matrix, job.options.freedoms));
  }
}

}  // namespace xbar::nn
