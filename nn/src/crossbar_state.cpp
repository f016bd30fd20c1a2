#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/crossbar_state.hpp>
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

}  // namespace

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
