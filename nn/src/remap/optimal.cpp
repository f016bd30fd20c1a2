#include <xbar/core/parallel.hpp>
#include <xbar/nn/signal_moments.hpp>

#include "strategies.hpp"

namespace xbar::nn {

void remap_optimal(const RemapJob& job) {
  const std::vector<mapping::SignalMoments> moments =
      signal_moments(job.ideal, job.images, job.images.count, job.options.seed, job.progress);
  std::vector<mapping::ArrayOrder> orders(job.layers.size());
  parallel_for(static_cast<Index>(orders.size()), [&](Index k) {
    const auto at = static_cast<std::size_t>(k);
    orders[at] = mapping::optimal_order(*job.layers[at].matrix, moments[at], job.options.freedoms);
  });
  for (std::size_t k = 0; k < orders.size(); ++k) job.layers[k].matrix->set_order(orders[k]);
}

}  // namespace xbar::nn
