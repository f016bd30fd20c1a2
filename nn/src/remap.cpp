#include <algorithm>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/remap.hpp>

#include "image_batch.hpp"
#include "remap/strategies.hpp"

namespace xbar::nn {
namespace {

void check_layers(Network& ideal, Network& on_arrays, const std::vector<CrossbarLayer>& layers) {
  const std::size_t wanted = ideal.weighted_layers().size();
  if (layers.size() != wanted || on_arrays.weighted_layers().size() != wanted) {
    throw InvalidArgument(fmt::format(
        "re-mapping: expected two networks of the same layers, one of them on arrays, got {} "
        "layers and {} on arrays",
        wanted, layers.size()));
  }
}

}  // namespace

RemapReport remap(Network& ideal, Network& on_arrays, const ImageSet& images,
                  const RemapOptions& options, const ProgressCallback& progress) {
  const Stopwatch watch;
  const std::vector<CrossbarLayer> layers = crossbar_layers(on_arrays);
  check_layers(ideal, on_arrays, layers);
  check_images(ideal, images, "calibration");
  const ImageSet first = first_images(images, options.calibration_images);
  const RemapJob job{ideal, on_arrays, layers, first, options, progress};
  RemapReport report;
  switch (options.strategy) {
    case mapping::RemapStrategy::none:
      set_orders(layers, orders_as_trained(layers));
      break;
    case mapping::RemapStrategy::srs:
      remap_static(job);
      break;
    case mapping::RemapStrategy::drs:
      report.steps = remap_dynamic(job);
      break;
    case mapping::RemapStrategy::optimal:
      report.steps = remap_optimal(job);
      break;
  }
  for (const CrossbarLayer& layer : layers) {
    report.layers.push_back({layer.name, layer.matrix->order()});
  }
  report.seconds = watch.seconds();
  return report;
}

}  // namespace xbar::nn
