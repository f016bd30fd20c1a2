#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/nn/crossbar_weight.hpp>

namespace xbar::nn {
namespace {

// Matrices of one shape, stacked.
NamedTensor to_tensor(const std::vector<MatrixF>& matrices) {
  NamedTensor tensor;
  tensor.shape = {static_cast<std::int64_t>(matrices.size()), matrices.front().rows(),
                  matrices.front().cols()};
  for (const MatrixF& matrix : matrices) {
    tensor.values.insert(tensor.values.end(), matrix.data(), matrix.data() + matrix.size());
  }
  return tensor;
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

std::vector<MatrixF> find_matrices(const TensorFile& file, const std::string& name, Index count,
                                   Index rows, Index columns) {
  const NamedTensor& tensor = find(file, name, {count, rows, columns});
  std::vector<MatrixF> result;
  for (Index k = 0; k < count; ++k) {
    result.emplace_back(
        Eigen::Map<const MatrixF>(tensor.values.data() + k * rows * columns, rows, columns));
  }
  return result;
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

constexpr std::array directions = {mapping::Direction::forward, mapping::Direction::backward};

std::string range_key(mapping::Direction direction) {
  return direction == mapping::Direction::forward ? ".forward_" : ".backward_";
}

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

}  // namespace

CrossbarWeight::CrossbarWeight(mapping::CrossbarMatrix matrix) : matrix_(std::move(matrix)) {
  const mapping::Technology& technology = matrix_.technology();
  const mapping::Converters& converters = technology.converters;
  if (!converters.present()) return;
  const device::ConductanceRange range = technology.range();
  // The difference of two cells is at most the width of the range.
  const float full_cell = converters.subtract == mapping::Subtract::analog
                              ? 1.0F
                              : static_cast<float>(range.g_max / range.width());
  forward_.emplace(Reads{mapping::ConvertedRead({.outputs = matrix_.outputs(),
                                                 .inputs = matrix_.inputs(),
                                                 .tile_lines = technology.tile_rows,
                                                 .full_cell = full_cell},
                                                converters)});
  backward_.emplace(Reads{mapping::ConvertedRead({.outputs = matrix_.inputs(),
                                                  .inputs = matrix_.outputs(),
                                                  .tile_lines = matrix_.outputs_per_tile(),
                                                  .full_cell = full_cell},
                                                 mapping::backward_converters(converters))});
}

mapping::ConvertedRead* CrossbarWeight::read(mapping::Direction direction) {
  std::optional<Reads>& wanted = reads(direction);
  return wanted ? &wanted->read : nullptr;
}

mapping::ConvertedRead* CrossbarWeight::current(mapping::Direction direction) {
  std::optional<Reads>& wanted = reads(direction);
  if (!wanted) return nullptr;
  if (wanted->version == matrix_.version()) return &wanted->read;
  const Stopwatch watch;
  const bool forward = direction == mapping::Direction::forward;
  const std::vector<mapping::ReadArray> arrays = matrix_.read_arrays(direction);
  std::vector<mapping::ArrayView> views;
  for (const mapping::ReadArray& array : arrays) {
    views.push_back({.values = array.effective.data(),
                     .output_stride = forward ? matrix_.inputs() : 1,
                     .line_stride = forward ? 1 : matrix_.inputs(),
                     .coefficient = array.coefficient,
                     .gain = forward ? matrix_.gain().data() : nullptr});
  }
  wanted->read.set_arrays(views, forward ? std::vector<Index>{} : matrix_.column_order());
  wanted->version = matrix_.version();
  converter_seconds_ += watch.seconds();
  return &wanted->read;
}

StoreTimes CrossbarWeight::times() const {
  double converters = converter_seconds_;
  for (const std::optional<Reads>* wanted : {&forward_, &backward_}) {
    if (*wanted) converters += (*wanted)->read.seconds();
  }
  return {.surrogate = matrix_.times().surrogate,
          .converters = converters,
          .certificate = matrix_.times().certificate};
}

mapping::ConvertedRead* CrossbarWeight::converted_forward() {
  return current(mapping::Direction::forward);
}

mapping::ConvertedRead* CrossbarWeight::converted_backward() {
  return current(mapping::Direction::backward);
}

std::string_view gradient_rule_name(GradientRule rule) {
  return rule == GradientRule::adjoint ? "adjoint" : "straight-through";
}

GradientRule parse_gradient_rule(std::string_view name) {
  for (const GradientRule rule : {GradientRule::adjoint, GradientRule::straight_through}) {
    if (gradient_rule_name(rule) == name) return rule;
  }
  throw InvalidArgument(
      fmt::format("gradients: expected adjoint or straight-through, got '{}'", name));
}

HardwareAwareWeight::HardwareAwareWeight(mapping::CrossbarMatrix matrix, GradientRule rule,
                                         bool learns_range)
    : CrossbarWeight(std::move(matrix)), rule_(rule), master_(this->matrix().weight()) {
  if (learns_range) range_ = LearnedRange{this->matrix().weight_range(), 0};
}

void HardwareAwareWeight::backpropagate(MatrixF& gradient) {
  if (rule_ == GradientRule::adjoint) matrix().backpropagate(gradient);
  if (!range_) return;
  const float range = matrix().weight_range();
  const MatrixF& programmed = matrix().weight();
  double sum = 0;
  for (Index i = 0; i < gradient.size(); ++i) {
    const float w = master_.data()[i];
    float& g = gradient.data()[i];
    if (std::abs(w) > range) {
      sum += static_cast<double>(w > 0 ? g : -g);
      g = 0;
    } else {
      sum += static_cast<double>(g * (programmed.data()[i] - w) / range);
    }
  }
  const float step = matrix().encoder().step();
  const int levels = step > 0 ? static_cast<int>(std::lround(1 / step)) : 1;
  range_->gradient = static_cast<float>(
      sum * mapping::ConvertedRead::range_gradient_scale(gradient.size(), levels));
}

void HardwareAwareWeight::set_learned_range(float range) {
  if (!range_ || range == range_->value) return;
  range_->value = range;
  matrix().set_weight_range(range);
  matrix().reprogram(master_);
}

void HardwareAwareWeight::update(const MatrixF& delta) {
  // What the cells cannot hold is of no use later either.
  master_ += delta;
  if (!range_) {
    const float range = matrix().weight_range();
    master_ = master_.cwiseMax(-range).cwiseMin(range);
  }
  matrix().reprogram(master_);
}

void HardwareAwareWeight::set_weight(const MatrixF& weight) {
  matrix().program(weight);
  master_ = weight;
}

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
    options.cells = RandomStream(mapping.seed, "cells/" + layer.name());
    options.reads = RandomStream(mapping.seed, "read-noise/" + layer.name());
    mapping::CrossbarMatrix matrix(layer.out_features(), layer.in_features(), weight_ranges[k],
                                   std::move(options));
    std::unique_ptr<WeightStore> store;
    if (mapping.hardware_aware) {
      store = std::make_unique<HardwareAwareWeight>(std::move(matrix), *mapping.hardware_aware,
                                                    mapping.scale == WeightScale::learned);
    } else {
      store = std::make_unique<CrossbarWeight>(std::move(matrix));
    }
    store->set_weight(weight);
    layer.replace_weight_store(std::move(store));
  }
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
  for (WeightedLayer* layer : network.weighted_layers()) {
    auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store());
    if (store == nullptr) continue;
    const std::string& name = layer->name();
    const mapping::CrossbarMatrix::State state = store->matrix().state();
    file.tensors[name + ".cells"] = to_tensor(state.cells);
    file.tensors[name + ".ratios"] = to_tensor(state.ratios);
    if (!state.backward.empty()) file.tensors[name + ".backward"] = to_tensor(state.backward);
    file.tensors[name + ".gain"] = to_tensor({state.gain});
    NamedTensor slots;
    slots.shape = {static_cast<std::int64_t>(state.slot_of_output.size())};
    for (const Index slot : state.slot_of_output) slots.values.push_back(static_cast<float>(slot));
    file.tensors[name + ".slot"] = std::move(slots);
    file.metadata[name + ".weight_range"] = fmt::format("{}", state.weight_range);
    file.metadata[name + ".updates_since_refresh"] = std::to_string(state.updates_since_refresh);
    file.metadata[name + ".update_count"] = std::to_string(state.update_count);
    file.metadata[name + ".read_count"] = std::to_string(state.read_count);
    file.metadata[name + ".surrogate"] = surrogate::model_name(state.choice.model);
    file.metadata[name + ".refresh"] = std::to_string(state.choice.refresh);
    file.metadata[name + ".certificate"] = to_text(state.certificate);
    for (const auto direction : directions) {
      if (const mapping::ConvertedRead* read = store->read(direction)) {
        const mapping::ConvertedRead::State ranges = read->state();
        const std::string prefix = name + range_key(direction);
        file.metadata[prefix + "dac_range"] = fmt::format("{}", ranges.dac_range);
        file.metadata[prefix + "adc_range"] = fmt::format("{}", ranges.adc_range);
        file.metadata[prefix + "dac_batches"] = std::to_string(ranges.dac_batches);
        file.metadata[prefix + "adc_batches"] = std::to_string(ranges.adc_batches);
        file.metadata[prefix + "passes"] = std::to_string(ranges.passes);
      }
    }
  }
  return file;
}

void load_crossbar_state(Network& network, const TensorFile& file) {
  const auto read_number = [&]<typename Number>(const std::string& key, Number& value) {
    value = number<Number>(key, metadata(file, key));
  };
  for (WeightedLayer* layer : network.weighted_layers()) {
    auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store());
    if (store == nullptr) continue;
    const std::string& name = layer->name();
    mapping::CrossbarMatrix& matrix = store->matrix();
    const mapping::Technology& technology = matrix.technology();
    const Index bitlines = matrix.tile_column_count() * technology.tile_columns;
    const Index wordlines = matrix.tile_row_count() * technology.tile_rows;
    mapping::CrossbarMatrix::State state;
    state.cells = find_matrices(file, name + ".cells", matrix.encoder().cells(), matrix.outputs(),
                                matrix.inputs());
    state.ratios = find_matrices(file, name + ".ratios", matrix.plane_count(), bitlines, wordlines);
    if (technology.terminals == Terminals::swap) {
      state.backward =
          find_matrices(file, name + ".backward", matrix.plane_count(), bitlines, wordlines);
    }
    state.gain =
        find_matrices(file, name + ".gain", 1, matrix.outputs(), matrix.tile_row_count()).front();
    for (const float slot : find(file, name + ".slot", {matrix.outputs()}).values) {
      state.slot_of_output.push_back(static_cast<Index>(std::lround(slot)));
    }
    read_number(name + ".weight_range", state.weight_range);
    read_number(name + ".updates_since_refresh", state.updates_since_refresh);
    read_number(name + ".update_count", state.update_count);
    read_number(name + ".read_count", state.read_count);
    state.choice.model = surrogate::parse_model(metadata(file, name + ".surrogate"));
    read_number(name + ".refresh", state.choice.refresh);
    const std::string key = name + ".certificate";
    state.certificate = certificate_from(key, metadata(file, key));
    matrix.restore(state);
    for (const auto direction : directions) {
      if (mapping::ConvertedRead* read = store->read(direction)) {
        mapping::ConvertedRead::State ranges;
        const std::string prefix = name + range_key(direction);
        read_number(prefix + "dac_range", ranges.dac_range);
        read_number(prefix + "adc_range", ranges.adc_range);
        read_number(prefix + "dac_batches", ranges.dac_batches);
        read_number(prefix + "adc_batches", ranges.adc_batches);
        read_number(prefix + "passes", ranges.passes);
        read->restore(ranges);
      }
    }
  }
}

}  // namespace xbar::nn
