#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_weight.hpp>

namespace xbar::nn {
namespace {

NamedTensor to_tensor(const MatrixF& matrix) {
  return {{matrix.rows(), matrix.cols()},
          std::vector<float>(matrix.data(), matrix.data() + matrix.size())};
}

const NamedTensor& find(const TensorFile& file, const std::string& name,
                        const std::vector<std::int64_t>& shape) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) {
    throw InvalidArgument(fmt::format("crossbar state: tensor '{}' is missing", name));
  }
  if (found->second.shape != shape) {
    throw InvalidArgument(fmt::format("crossbar state: tensor '{}': expected shape ({}), got ({})",
                                      name, fmt::join(shape, ", "),
                                      fmt::join(found->second.shape, ", ")));
  }
  return found->second;
}

MatrixF to_matrix(const NamedTensor& tensor) {
  return Eigen::Map<const MatrixF>(tensor.values.data(), tensor.shape[0], tensor.shape[1]);
}

}  // namespace

void map_to_crossbars(Network& network, const CrossbarMapping& mapping,
                      const std::vector<float>& weight_ranges) {
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  if (weight_ranges.size() != layers.size()) {
    throw InvalidArgument(fmt::format("weight ranges: expected {}, one a weighted layer, got {}",
                                      layers.size(), weight_ranges.size()));
  }
  for (std::size_t k = 0; k < layers.size(); ++k) {
    WeightedLayer& layer = *layers[k];
    const MatrixF weight = layer.weight_store().weight();
    mapping::CrossbarOptions options;
    options.technology = mapping.technology;
    options.make_model = mapping.make_model;
    options.refresh = mapping.refresh;
    options.noise = RandomStream(mapping.seed, "write-noise/" + layer.name());
    auto store = std::make_unique<CrossbarWeight>(mapping::CrossbarMatrix(
        layer.out_features(), layer.in_features(), weight_ranges[k], std::move(options)));
    store->set_weight(weight);
    layer.replace_weight_store(std::move(store));
  }
}

void map_to_crossbars(Network& network, const CrossbarMapping& mapping) {
  std::vector<float> ranges;
  for (const WeightedLayer* layer : std::as_const(network).weighted_layers()) {
    if (mapping.headroom) {
      ranges.push_back(static_cast<float>(
          *mapping.headroom * std::sqrt(6.0 / static_cast<double>(layer->in_features()))));
    } else {
      const float largest = layer->weight_store().weight().cwiseAbs().maxCoeff();
      ranges.push_back(largest > 0 ? largest : 1.0F);
    }
  }
  map_to_crossbars(network, mapping, ranges);
}

void map_to_digital(Network& network) {
  for (WeightedLayer* layer : network.weighted_layers()) {
    layer->replace_weight_store(std::make_unique<DigitalWeight>(layer->weight_store().weight()));
  }
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

TensorFile crossbar_state(Network& network) {
  TensorFile file;
  for (const CrossbarLayer& layer : crossbar_layers(network)) {
    const mapping::CrossbarMatrix::State state = layer.matrix->state();
    file.tensors[layer.name + ".plus"] = to_tensor(state.plus);
    file.tensors[layer.name + ".minus"] = to_tensor(state.minus);
    NamedTensor slots;
    slots.shape = {static_cast<std::int64_t>(state.slot_of_output.size())};
    for (const Index slot : state.slot_of_output) slots.values.push_back(static_cast<float>(slot));
    file.tensors[layer.name + ".slot"] = std::move(slots);
    file.metadata[layer.name + ".update_count"] = std::to_string(state.update_count);
  }
  return file;
}

void load_crossbar_state(Network& network, const TensorFile& file) {
  for (const CrossbarLayer& layer : crossbar_layers(network)) {
    const std::int64_t rows = layer.matrix->outputs();
    const std::int64_t columns = layer.matrix->inputs();
    mapping::CrossbarMatrix::State state;
    state.plus = to_matrix(find(file, layer.name + ".plus", {rows, columns}));
    state.minus = to_matrix(find(file, layer.name + ".minus", {rows, columns}));
    for (const float slot : find(file, layer.name + ".slot", {rows}).values) {
      state.slot_of_output.push_back(static_cast<Index>(std::lround(slot)));
    }
    const std::string key = layer.name + ".update_count";
    const auto count = file.metadata.find(key);
    if (count == file.metadata.end()) {
      throw InvalidArgument(fmt::format("crossbar state: metadata '{}' is missing", key));
    }
    const std::string& text = count->second;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), state.update_count);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
      throw InvalidArgument(
          fmt::format("crossbar state: metadata '{}': expected a count, got '{}'", key, text));
    }
    layer.matrix->restore(state);
  }
}

}  // namespace xbar::nn
