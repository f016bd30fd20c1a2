#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
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

const std::string& metadata(const TensorFile& file, const std::string& key) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw InvalidArgument(fmt::format("crossbar state: metadata '{}' is missing", key));
  }
  return found->second;
}

template <typename Number>
Number number(const std::string& key, std::string_view text) {
  Number value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    throw InvalidArgument(
        fmt::format("crossbar state: metadata '{}': expected a number, got '{}'", key, text));
  }
  return value;
}

// Numbers apart by spaces; after the sums four for each change.
std::string to_text(const mapping::Certificate& certificate) {
  std::string text = fmt::format("{} {} {} {} {} {} {}", certificate.refreshes, certificate.checks,
                                 certificate.worst_error, certificate.error_sum,
                                 certificate.worst_fresh, certificate.broken, certificate.seconds);
  for (const mapping::CertificateChange& change : certificate.changes) {
    text += fmt::format(" {} {} {} {}", change.update, change.error,
                        surrogate::model_name(change.model), change.refresh);
  }
  return text;
}

mapping::Certificate certificate_from(const std::string& key, const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  constexpr std::size_t sums = 7;
  constexpr std::size_t a_change = 4;
  if (words.size() < sums || (words.size() - sums) % a_change != 0) {
    throw InvalidArgument(
        fmt::format("crossbar state: metadata '{}': expected {} values and {} a change, got '{}'",
                    key, sums, a_change, text));
  }
  mapping::Certificate certificate;
  certificate.refreshes = number<std::uint64_t>(key, words[0]);
  certificate.checks = number<std::uint64_t>(key, words[1]);
  certificate.worst_error = number<double>(key, words[2]);
  certificate.error_sum = number<double>(key, words[3]);
  certificate.worst_fresh = number<double>(key, words[4]);
  certificate.broken = number<std::uint64_t>(key, words[5]);
  certificate.seconds = number<double>(key, words[6]);
  for (std::size_t k = sums; k < words.size(); k += a_change) {
    certificate.changes.push_back(
        {number<std::uint64_t>(key, words[k]), number<double>(key, words[k + 1]),
         surrogate::parse_model(words[k + 2]), number<int>(key, words[k + 3])});
  }
  return certificate;
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
    options.model = mapping.model;
    options.exact = mapping.exact;
    options.refresh = mapping.refresh;
    options.certificate = mapping.certificate;
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
    file.metadata[layer.name + ".surrogate"] = surrogate::model_name(state.choice.model);
    file.metadata[layer.name + ".refresh"] = std::to_string(state.choice.refresh);
    file.metadata[layer.name + ".certificate"] = to_text(state.certificate);
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
    state.update_count = number<std::uint64_t>(layer.name + ".update_count",
                                               metadata(file, layer.name + ".update_count"));
    state.choice.model = surrogate::parse_model(metadata(file, layer.name + ".surrogate"));
    state.choice.refresh =
        number<int>(layer.name + ".refresh", metadata(file, layer.name + ".refresh"));
    const std::string key = layer.name + ".certificate";
    state.certificate = certificate_from(key, metadata(file, key));
    layer.matrix->restore(state);
  }
}

}  // namespace xbar::nn
