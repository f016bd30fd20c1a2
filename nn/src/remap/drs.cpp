#include <xbar/nn/trainer.hpp>

#include "strategies.hpp"

namespace xbar::nn {
namespace {

std::vector<mapping::ArrayOrder> orders_of(const std::vector<CrossbarLayer>& layers) {
  std::vector<mapping::ArrayOrder> orders;
  for (const CrossbarLayer& layer : layers) orders.push_back(layer.matrix->order());
  return orders;
}

}  // namespace

int remap_dynamic(const RemapJob& job) {
  double best_loss = evaluate(job.on_arrays, job.images).loss;
  std::vector<mapping::ArrayOrder> best = orders_of(job.layers);
  int helped = 0;
  for (int pass = 0; pass < job.options.most_passes; ++pass) {
    for (std::size_t k = 0; k < job.layers.size(); ++k) {
      // The layers before this one are in their new order by now.
      const std::vector<LayerSensitivity> sensitivity =
          layer_sensitivity(job.on_arrays, job.images, job.images.count, job.options.sensitivity);
      mapping::CrossbarMatrix& matrix = *job.layers[k].matrix;
      matrix.set_order(order_by(sensitivity[k], matrix, job.options.freedoms));
      if (job.progress) {
        job.progress({"drs", static_cast<double>(k + 1), static_cast<double>(job.layers.size()),
                      job.layers[k].name});
      }
    }
    const double loss = evaluate(job.on_arrays, job.images).loss;
    if (!(loss < best_loss)) break;
    best_loss = loss;
    best = orders_of(job.layers);
    ++helped;
  }
  for (std::size_t k = 0; k < job.layers.size(); ++k) job.layers[k].matrix->set_order(best[k]);
  return helped;
}

}  // namespace xbar::nn
