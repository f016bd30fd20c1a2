#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_weight.hpp>
#include <xbar/nn/deployment.hpp>
#include <xbar/nn/trainer.hpp>

namespace xbar::nn {
namespace {

constexpr const char* range_prefix = "weight_range/";

// A number of the file's metadata; empty if it has none.
std::optional<float> metadata_number(const TensorFile& file, const std::string& key) {
  const auto given = file.metadata.find(key);
  if (given == file.metadata.end()) return std::nullopt;
  const std::string& text = given->second;
  float value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || !(value > 0)) {
    throw InvalidArgument(
        fmt::format("weights: metadata '{}': expected a number > 0, got '{}'", key, text));
  }
  return value;
}

// Learned ranges of converters: parameters while a network is on arrays, metadata of a file.
constexpr std::array range_suffixes = {".dac_range", ".adc_range", ".weight_range"};

}  // namespace

TensorFile weights_file(Network& network) {
  TensorFile file = network.state();
  for (const CrossbarLayer& layer : crossbar_layers(network)) {
    file.metadata[range_prefix + layer.name] = fmt::format("{}", layer.matrix->weight_range());
    for (const char* suffix : range_suffixes) {
      const auto learned = file.tensors.find(layer.name + suffix);
      if (learned == file.tensors.end()) continue;
      file.metadata[layer.name + suffix] = fmt::format("{}", learned->second.values.front());
      file.tensors.erase(learned);
    }
  }
  return file;
}

void deploy(Network& network, const TensorFile& weights, const CrossbarMapping& mapping) {
  std::vector<float> ranges = weight_ranges(network, mapping);
  const std::vector<WeightedLayer*> layers = network.weighted_layers();
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const auto given = metadata_number(weights, range_prefix + layers[k]->name());
    if (given) ranges[k] = *given;
  }
  map_to_crossbars(network, mapping, ranges);
  for (WeightedLayer* layer : layers) {
    for (Parameter* parameter : layer->parameters()) {
      if (const auto learned = metadata_number(weights, parameter->name)) {
        parameter->store->set_weight(MatrixF::Constant(1, 1, *learned));
      }
    }
  }
  if (mapping.model == surrogate::ModelKind::exact) return;
  for (const CrossbarLayer& layer : crossbar_layers(network)) layer.matrix->refresh();
}

void calibrate_converters(Network& network, const mapping::Technology& technology,
                          const ImageSet& images) {
  const mapping::Converters& converters = technology.converters;
  const bool wanted =
      (converters.input_bits > 0 && converters.dac_range == mapping::DacRange::calibrated) ||
      (converters.adc_bits > 0 && converters.adc_range == mapping::AdcRange::calibrated);
  if (!wanted) return;
  constexpr Index batch = 128;
  const ImageSet first = first_images(images, batch * converters.calibration_batches);
  static_cast<void>(evaluate(network, first, batch));
}

void copy_cells(Network& from, Network& to) {
  const std::vector<WeightedLayer*> sources = from.weighted_layers();
  const std::vector<WeightedLayer*> targets = to.weighted_layers();
  for (std::size_t k = 0; k < sources.size(); ++k) {
    auto& source = dynamic_cast<CrossbarWeight&>(sources[k]->weight_store());
    auto& target = dynamic_cast<CrossbarWeight&>(targets[k]->weight_store());
    target.matrix().copy_cells(source.matrix());
    for (const auto direction : {mapping::Direction::forward, mapping::Direction::backward}) {
      if (mapping::ConvertedRead* read = target.read(direction)) {
        read->restore(source.read(direction)->state());
      }
    }
  }
}

}  // namespace xbar::nn
