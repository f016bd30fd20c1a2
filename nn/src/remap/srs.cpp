#include "strategies.hpp"

namespace xbar::nn {

void remap_static(const RemapJob& job) {
  const std::vector<LayerSensitivity> ideal = sensitivities(job, job.ideal);
  for (std::size_t k = 0; k < job.layers.size(); ++k) {
    mapping::CrossbarMatrix& matrix = *job.layers[k].matrix;
    matrix.set_order(order_by(ideal[k], matrix, job.options.freedoms));
  }
}

}  // namespace xbar::nn
