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

template <typename Number>
void read_number(const TensorFile& file, const std::string& key, Number& value) {
  value = number<Number>(key, metadata(file, key));
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

constexpr std::array<std::pair<const char*, double mapping::PulseTotals::*>, 4> totals = {
    {{".pulses_up", &mapping::PulseTotals::up},
     {".pulses_down", &mapping::PulseTotals::down},
     {".pulses_joule", &mapping::PulseTotals::joule},
     {".pulses_second", &mapping::PulseTotals::second}}};

NamedTensor to_tensor(const MatrixF& matrix) {
  NamedTensor tensor;
  tensor.shape = {matrix.rows(), matrix.cols()};
  tensor.values.assign(matrix.data(), matrix.data() + matrix.size());
  return tensor;
}

MatrixF find_matrix(const TensorFile& file, const std::string& name, Index rows, Index columns) {
  return Eigen::Map<const MatrixF>(find(file, name, {rows, columns}).values.data(), rows, columns);
}

NamedTensor to_tensor(const std::vector<Index>& slots) {
  NamedTensor tensor;
  tensor.shape = {static_cast<std::int64_t>(slots.size())};
  for (const Index slot : slots) tensor.values.push_back(static_cast<float>(slot));
  return tensor;
}

std::vector<Index> find_slots(const TensorFile& file, const std::string& name, Index count) {
  std::vector<Index> slots;
  for (const float slot : find(file, name, {count}).values) {
    slots.push_back(static_cast<Index>(std::lround(slot)));
  }
  return slots;
}

// Of the pulsed cells of plane p: "NAME.hidden0".
std::string plane_key(const std::string& name, const char* what, std::size_t plane) {
  return fmt::format("{}.{}{}", name, what, plane);
}

void save_matrix(const mapping::CrossbarMatrix& matrix, const std::string& name, TensorFile& file) {
  const mapping::CrossbarMatrix::State state = matrix.state();
  file.tensors[name + ".cells"] = to_tensor(state.cells);
  file.tensors[name + ".ratios"] = to_tensor(state.ratios);
  if (!state.backward.empty()) file.tensors[name + ".backward"] = to_tensor(state.backward);
  file.tensors[name + ".gain"] = to_tensor(std::vector<MatrixF>{state.gain});
  for (std::size_t p = 0; p < state.pulsed.size(); ++p) {
    const device::PulsedCells::State& pulsed = state.pulsed[p];
    if (pulsed.hidden.size() > 0) {
      file.tensors[plane_key(name, "hidden", p)] = to_tensor(pulsed.hidden);
    }
    if (pulsed.used.size() > 0) file.tensors[plane_key(name, "used", p)] = to_tensor(pulsed.used);
  }
  if (!state.write_paths.empty()) {
    file.tensors[name + ".write_paths"] = to_tensor(state.write_paths);
    file.metadata[name + ".input_rate"] = fmt::format("{}", state.input_rate);
    file.metadata[name + ".output_rate"] = fmt::format("{}", state.output_rate);
  }
  file.tensors[name + ".slot"] = to_tensor(state.order.slot_of_output);
  file.tensors[name + ".wordline"] = to_tensor(state.order.slot_of_input);
  file.metadata[name + ".weight_range"] = fmt::format("{}", state.weight_range);
  file.metadata[name + ".updates_since_refresh"] = std::to_string(state.updates_since_refresh);
  file.metadata[name + ".update_count"] = std::to_string(state.update_count);
  file.metadata[name + ".read_count"] = std::to_string(state.read_count);
  file.metadata[name + ".surrogate"] = surrogate::model_name(state.choice.model);
  file.metadata[name + ".refresh"] = std::to_string(state.choice.refresh);
  file.metadata[name + ".certificate"] = to_text(state.certificate);
  if (state.pulsed.empty()) return;
  for (const auto& [key, value] : totals) {
    file.metadata[name + key] = fmt::format("{}", state.totals.*value);
  }
}

void load_matrix(const TensorFile& file, const std::string& name, mapping::CrossbarMatrix& matrix) {
  const mapping::Technology& technology = matrix.technology();
  const Index bitlines = matrix.tile_column_count() * technology.tile_columns;
  const Index wordlines = matrix.tile_row_count() * technology.tile_rows;
  mapping::CrossbarMatrix::State state = matrix.state();
  state.cells = find_matrices(file, name + ".cells", matrix.encoder().cells(), matrix.outputs(),
                              matrix.inputs());
  state.ratios = find_matrices(file, name + ".ratios", matrix.plane_count(), bitlines, wordlines);
  if (technology.terminals == Terminals::swap) {
    state.backward =
        find_matrices(file, name + ".backward", matrix.plane_count(), bitlines, wordlines);
  }
  state.gain =
      find_matrices(file, name + ".gain", 1, matrix.outputs(), matrix.tile_row_count()).front();
  for (std::size_t p = 0; p < state.pulsed.size(); ++p) {
    const auto restore = [&](const char* what, MatrixF& values) {
      if (values.size() == 0) return;
      values = find_matrix(file, plane_key(name, what, p), bitlines, wordlines);
    };
    restore("hidden", state.pulsed[p].hidden);
    restore("used", state.pulsed[p].used);
  }
  if (!state.write_paths.empty()) {
    state.write_paths =
        find_matrices(file, name + ".write_paths", static_cast<Index>(state.write_paths.size()),
                      bitlines, wordlines);
    read_number(file, name + ".input_rate", state.input_rate);
    read_number(file, name + ".output_rate", state.output_rate);
  }
  state.order.slot_of_output = find_slots(file, name + ".slot", matrix.outputs());
  state.order.slot_of_input = find_slots(file, name + ".wordline", matrix.inputs());
  read_number(file, name + ".weight_range", state.weight_range);
  read_number(file, name + ".updates_since_refresh", state.updates_since_refresh);
  read_number(file, name + ".update_count", state.update_count);
  read_number(file, name + ".read_count", state.read_count);
  state.choice.model = surrogate::parse_model(metadata(file, name + ".surrogate"));
  read_number(file, name + ".refresh", state.choice.refresh);
  const std::string key = name + ".certificate";
  state.certificate = certificate_from(key, metadata(file, key));
  if (!state.pulsed.empty()) {
    for (const auto& [suffix, value] : totals) {
      read_number(file, name + suffix, state.totals.*value);
    }
  }
  matrix.restore(state);
}

// The ranges of a read through converters, with how they are kept.
template <typename Ranges, typename Each>
void for_each_range(const std::string& name, mapping::Direction direction, Ranges& ranges,
                    const Each& each) {
  const std::string prefix =
      name + (direction == mapping::Direction::forward ? ".forward_" : ".backward_");
  each(prefix + "dac_range", ranges.dac_range);
  each(prefix + "adc_range", ranges.adc_range);
  each(prefix + "dac_batches", ranges.dac_batches);
  each(prefix + "adc_batches", ranges.adc_batches);
  each(prefix + "passes", ranges.passes);
}

// Calls each(name, store) for the layers on arrays.
template <typename Each>
void for_each_store(Network& network, const Each& each) {
  for (WeightedLayer* layer : network.weighted_layers()) {
    if (auto* store = dynamic_cast<CrossbarWeight*>(&layer->weight_store())) {
      each(layer->name(), *store);
    }
  }
}

}  // namespace

TensorFile crossbar_state(Network& network) {
  TensorFile file;
  for_each_store(network, [&](const std::string& name, CrossbarWeight& store) {
    save_matrix(store.matrix(), name, file);
    for (const auto& further : store.further_arrays()) {
      save_matrix(*further.matrix, name + further.suffix, file);
    }
    for (const auto& digital : store.digital_state()) {
      file.tensors[name + digital.suffix] = to_tensor(*digital.values);
    }
    for (const auto direction : directions) {
      if (const mapping::ConvertedRead* read = store.read(direction)) {
        const mapping::ConvertedRead::State ranges = read->state();
        for_each_range(name, direction, ranges, [&](const std::string& key, const auto& value) {
          file.metadata[key] = fmt::format("{}", value);
        });
      }
    }
  });
  return file;
}

void load_crossbar_state(Network& network, const TensorFile& file) {
  for_each_store(network, [&](const std::string& name, CrossbarWeight& store) {
    load_matrix(file, name, store.matrix());
    for (const auto& further : store.further_arrays()) {
      load_matrix(file, name + further.suffix, *further.matrix);
    }
    for (const auto& digital : store.digital_state()) {
      *digital.values =
          find_matrix(file, name + digital.suffix, digital.values->rows(), digital.values->cols());
    }
    for (const auto direction : directions) {
      if (mapping::ConvertedRead* read = store.read(direction)) {
        mapping::ConvertedRead::State ranges;
        for_each_range(name, direction, ranges,
                       [&](const std::string& key, auto& value) { read_number(file, key, value); });
        read->restore(ranges);
      }
    }
  });
}

}  // namespace xbar::nn
