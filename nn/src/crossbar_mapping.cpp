#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_mapping.hpp>
#include <xbar/nn/pulsed_weight.hpp>
#include <xbar/nn/signal_weight.hpp>
#include <xbar/nn/streamed_weight.hpp>

namespace xbar::nn {
namespace {

float weight_range(const WeightedLayer& layer, const CrossbarMapping& mapping) {
  if (mapping.scale == WeightScale::headroom) {
    return static_cast<float>(mapping.headroom *
                              std::sqrt(6.0 / static_cast<double>(layer.in_features())));
  }
  const MatrixF& weight = layer.weight_store().weight();
  std::vector<float> sizes(weight.data(), weight.data() + weight.size());
  for (float& size : sizes) size = std::abs(size);
  const double share = mapping.scale == WeightScale::maximum ? 1.0 : mapping.percentile / 100;
  const auto rank =
      static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(sizes.size())) - 1);
  std::nth_element(sizes.begin(), sizes.begin() + std::max<std::ptrdiff_t>(rank, 0), sizes.end());
  const float range = sizes[static_cast<std::size_t>(std::max<std::ptrdiff_t>(rank, 0))];
  return range > 0 ? range : 1.0F;
}

mapping::CrossbarOptions crossbar_options(const CrossbarMapping& mapping, const std::string& name) {
  mapping::CrossbarOptions options;
  options.technology = mapping.technology;
  options.model = mapping.model;
  options.exact = mapping.exact;
  options.refresh = mapping.refresh;
  options.certificate = mapping.certificate;
  options.noise = RandomStream(mapping.seed, "write-noise/" + name);
  options.cells = RandomStream(mapping.seed, "cells/" + name);
  options.reads = RandomStream(mapping.seed, "read-noise/" + name);
  return options;
}

std::unique_ptr<CrossbarWeight> pulsed_store(const CrossbarMapping& mapping,
                                             const std::string& name,
                                             mapping::CrossbarMatrix matrix) {
  UpdateOptions update = mapping.update;
  update.trains.expects_fires = mapping.technology.write_scheme.has_value();
  const RandomStream draws(mapping.seed, "pulses/" + name);
  if (!takes_signals(update.rule)) {
    return std::make_unique<PulsedWeight>(std::move(matrix), update, draws);
  }
  if (update.rule == UpdateRule::stochastic) {
    return std::make_unique<StochasticWeight>(std::move(matrix), update, draws);
  }
  mapping::CrossbarMatrix fast(matrix.outputs(), matrix.inputs(), matrix.weight_range(),
                               crossbar_options(mapping, name + ".fast"));
  fast.program(MatrixF::Zero(matrix.outputs(), matrix.inputs()));
  return std::make_unique<TikiTakaWeight>(std::move(matrix), std::move(fast), update, draws);
}

// The arrays of a layer, not yet programmed; the weight tells their size.
std::unique_ptr<CrossbarWeight> crossbar_store(const CrossbarMapping& mapping,
                                               const std::string& name, const MatrixF& weight,
                                               float range) {
  mapping::CrossbarMatrix matrix(weight.rows(), weight.cols(), range,
                                 crossbar_options(mapping, name));
  if (mapping.technology.device) return pulsed_store(mapping, name, std::move(matrix));
  return std::make_unique<CrossbarWeight>(std::move(matrix));
}

void stream(Network& network, const CrossbarMapping& mapping,
            const std::vector<float>& weight_ranges) {
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  const auto stream = std::make_shared<ArrayStream>();
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const auto make = [mapping, name = layers[k]->name(), range = weight_ranges[k]](
                          const MatrixF& weight, const mapping::SurrogateChoice& choice) {
      CrossbarMapping chosen = mapping;
      chosen.model = choice.model;
      chosen.refresh = choice.refresh;
      std::unique_ptr<CrossbarWeight> store = crossbar_store(chosen, name, weight, range);
      store->set_weight(weight);
      return store;
    };
    auto store = std::make_unique<StreamedWeight>(
        layers[k]->weight_store().weight(), make,
        mapping::SurrogateChoice{mapping.model, mapping.refresh}, stream);
    if (mapping.model != surrogate::ModelKind::exact) store->check();
    layers[k]->replace_weight_store(std::move(store));
  }
}

void check_count(const std::vector<float>& weight_ranges,
                 const std::vector<WeightedLayer*>& layers) {
  if (weight_ranges.size() == layers.size()) return;
  throw InvalidArgument(fmt::format("weight ranges: expected {}, one a weighted layer, got {}",
                                    layers.size(), weight_ranges.size()));
}

}  // namespace

std::string_view weight_scale_name(WeightScale scale) {
  switch (scale) {
    case WeightScale::percentile:
      return "percentile";
    case WeightScale::headroom:
      return "headroom";
    case WeightScale::learned:
      return "learned";
    case WeightScale::maximum:
      break;
  }
  return "maximum";
}

WeightScale parse_weight_scale(std::string_view name) {
  for (const WeightScale scale : {WeightScale::maximum, WeightScale::percentile,
                                  WeightScale::headroom, WeightScale::learned}) {
    if (weight_scale_name(scale) == name) return scale;
  }
  throw InvalidArgument(fmt::format(
      "weight-scale: expected maximum, percentile, headroom or learned, got '{}'", name));
}

void map_to_crossbars(Network& network, const CrossbarMapping& mapping,
                      const std::vector<float>& weight_ranges) {
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  check_count(weight_ranges, layers);
  if (mapping.streamed) {
    stream(network, mapping, weight_ranges);
    return;
  }
  for (std::size_t k = 0; k < layers.size(); ++k) {
    WeightedLayer& layer = *layers[k];
    const MatrixF weight = layer.weight_store().weight();
    std::unique_ptr<WeightStore> store;
    if (mapping.hardware_aware) {
      store = std::make_unique<HardwareAwareWeight>(
          mapping::CrossbarMatrix(layer.out_features(), layer.in_features(), weight_ranges[k],
                                  crossbar_options(mapping, layer.name())),
          *mapping.hardware_aware, mapping.scale == WeightScale::learned);
    } else {
      store = crossbar_store(mapping, layer.name(), weight, weight_ranges[k]);
    }
    store->set_weight(weight);
    layer.replace_weight_store(std::move(store));
  }
}

std::vector<LayerCertificate> certificates(Network& network) {
  std::vector<LayerCertificate> result;
  for (WeightedLayer* layer : network.weighted_layers()) {
    if (auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store())) {
      result.push_back({layer->name(), store->matrix().choice(), store->matrix().certificate()});
    } else if (auto* streamed = dynamic_cast<StreamedWeight*>(&layer->weight_store())) {
      result.push_back({layer->name(), streamed->choice(), streamed->certificate()});
    }
  }
  return result;
}

std::vector<float> weight_ranges(const Network& network, const CrossbarMapping& mapping) {
  if (!(mapping.headroom > 0) || !(mapping.headroom <= 1e6)) {
    throw InvalidArgument(fmt::format("headroom: expected a number > 0, got {}", mapping.headroom));
  }
  if (!(mapping.percentile > 0) || !(mapping.percentile <= 100)) {
    throw InvalidArgument(
        fmt::format("weight-percentile: expected over 0 to 100, got {}", mapping.percentile));
  }
  std::vector<float> ranges;
  for (const WeightedLayer* layer : network.weighted_layers()) {
    ranges.push_back(weight_range(*layer, mapping));
  }
  return ranges;
}

void map_to_crossbars(Network& network, const CrossbarMapping& mapping) {
  map_to_crossbars(network, mapping, weight_ranges(network, mapping));
}

void map_to_digital(Network& network) {
  for (WeightedLayer* layer : network.weighted_layers()) {
    layer->replace_weight_store(std::make_unique<DigitalWeight>(layer->weight_store().weight()));
  }
}

mapping::PulseTotals pulse_totals(Network& network) {
  mapping::PulseTotals totals;
  for (WeightedLayer* layer : network.weighted_layers()) {
    auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store());
    if (store == nullptr) continue;
    totals += store->matrix().pulse_totals();
    for (const auto& further : store->further_arrays()) totals += further.matrix->pulse_totals();
  }
  return totals;
}

std::vector<CrossbarLayer> crossbar_layers(Network& network) {
  std::vector<CrossbarLayer> result;
  for (WeightedLayer* layer : network.weighted_layers()) {
    if (auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store())) {
      result.push_back({layer->name(), &store->matrix()});
    }
  }
  return result;
}

std::vector<mapping::ArrayOrder> orders_of(const std::vector<CrossbarLayer>& layers) {
  std::vector<mapping::ArrayOrder> orders;
  for (const CrossbarLayer& layer : layers) orders.push_back(layer.matrix->order());
  return orders;
}

void set_orders(const std::vector<CrossbarLayer>& layers,
                const std::vector<mapping::ArrayOrder>& orders) {
  for (std::size_t k = 0; k < layers.size(); ++k) layers[k].matrix->set_order(orders[k]);
}

std::vector<mapping::ArrayOrder> orders_as_trained(const std::vector<CrossbarLayer>& layers) {
  std::vector<mapping::ArrayOrder> orders;
  for (const CrossbarLayer& layer : layers) {
    orders.push_back(mapping::as_trained(layer.matrix->outputs(), layer.matrix->inputs()));
  }
  return orders;
}

}  // namespace xbar::nn
