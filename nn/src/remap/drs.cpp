#include <xbar/nn/trainer.hpp>

#include "strategies.hpp"

namespace xbar::nn {

int remap_dynamic(const RemapJob& job) {
  double best_loss = evaluate(job.on_arrays, job.images).loss;
  std::vector<mapping::ArrayOrder> best = orders_of(job.layers);
  RemapJob quiet = job;
  quiet.progress = {};
  int helped = 0;
  for (int pass = 0; pass < job.options.most_passes; ++pass) {
    for (std::size_t k = 0; k < job.layers.size(); ++k) {
      // The layers before this one are in their new order by now.
      const std::vector<LayerSensitivity> found = sensitivities(quiet, job.on_arrays);
      mapping::CrossbarMatrix& matrix = *job.layers[k].matrix;
      matrix.set_order(order_by(found[k], matrix, job.options.freedoms));
      if (job.progress) {
        const auto layers = static_cast<double>(job.layers.size());
        job.progress({"drs", static_cast<double>(pass) * layers + static_cast<double>(k + 1),
                      static_cast<double>(job.options.most_passes) * layers, job.layers[k].name});
      }
    }
    const double loss = evaluate(job.on_arrays, job.images).loss;
    if (!(loss < best_loss)) break;
    best_loss = loss;
    best = orders_of(job.layers);
    ++helped;
  }
  set_orders(job.layers, best);
  return helped;
}

}  // namespace xbar::nn
