#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

#include "array_order_file.hpp"
#include "commands.hpp"
#include "experiment.hpp"
#include "flags.hpp"
#include "technology_flags.hpp"
#include "verbosity.hpp"

namespace xbar::cli {
namespace {

// What the cells of a plane of arrays hold.
std::string cells_of(const mapping::WeightEncoder& encoder, Index plane) {
  const auto in_slice = [&](const std::string& what, Index slice) {
    return encoder.slices() == 1 ? what : fmt::format("{}, slice {}", what, slice);
  };
  switch (encoder.layout()) {
    case mapping::Layout::interleaved:
      return in_slice("plus and minus side by side", plane);
    case mapping::Layout::offset:
      return in_slice("weight, reference in the last column", plane);
    case mapping::Layout::reference:
      return plane == 0 ? "weight" : "reference";
    case mapping::Layout::differential:
      break;
  }
  return in_slice(encoder.is_minus(plane) ? "minus" : "plus", encoder.slice_of(plane));
}

// G of every array, siemens; a row is a wordline.
std::map<std::string, Matrix> conductances(const mapping::CrossbarMatrix& matrix) {
  std::map<std::string, Matrix> arrays;
  for (Index plane = 0; plane < matrix.plane_count(); ++plane) {
    for (Index tile = 0; tile < matrix.tile_count(); ++tile) {
      const std::string name =
          fmt::format("plane{}_row{}_column{}", plane, tile / matrix.tile_column_count(),
                      tile % matrix.tile_column_count());
      arrays[name] = matrix.tile_conductance(plane, tile);
    }
  }
  return arrays;
}

// Rows of a tensor in the order of the columns that hold them.
void reorder(NamedTensor& tensor, const std::vector<Index>& slot_of_output) {
  std::vector<std::size_t> outputs(slot_of_output.size());
  std::iota(outputs.begin(), outputs.end(), std::size_t{0});
  std::sort(outputs.begin(), outputs.end(),
            [&](std::size_t a, std::size_t b) { return slot_of_output[a] < slot_of_output[b]; });
  const auto row = static_cast<std::ptrdiff_t>(tensor.values.size() / outputs.size());
  std::vector<float> values;
  values.reserve(tensor.values.size());
  for (const std::size_t output : outputs) {
    const auto first = tensor.values.begin() + static_cast<std::ptrdiff_t>(output) * row;
    values.insert(values.end(), first, first + row);
  }
  tensor.values = std::move(values);
}

class ExportCommand final : public Command {
 public:
  [[nodiscard]] std::string name() const override { return "export"; }
  [[nodiscard]] std::string description() const override {
    return "conductances of every tile of a network on arrays, its order and weights, as files";
  }

  void declare(CLI::App& app) override {
    network_.add(app);
    require(network_.model_option);
    add_weights_flag(app, weights_path_);
    require(network_.data_option);
    add_order_flag(app, order_path_);
    technology_.on_ohm = {20e3};
    technology_.add(app);
    for (const CLI::Option* flag : technology_.acting_when_given()) acts_when_given(flag);
    scale_.add(app);
    require(app.add_option("--out", out_path_, "folder of the run")->type_name("DIR"));
  }

  int run() override {
    const std::vector<mapping::Technology> technologies = technology_.all();
    if (technologies.size() != 1) {
      throw InvalidArgument(
          fmt::format("--on-ohm: expected one value, got {}", technologies.size()));
    }
    const nn::DataSet data = network_.load_data();
    const NetworkSpec spec = network_spec(network_.model, data, network_.seed);
    const TensorFile weights = read_weights(weights_path_, spec);
    nn::Network network = spec.load(weights);
    // Cells do not depend on the surrogate: the cheapest does.
    deploy(network, weights, technologies.front(),
           {.surrogate = {.model = surrogate::ModelKind::ideal},
            .scale = scale_.scale(nn::WeightScale::maximum),
            .percentile = scale_.percentile,
            .headroom = scale_.headroom,
            .seed = network_.seed});
    const std::vector<nn::CrossbarLayer> layers = nn::crossbar_layers(network);
    if (!order_path_.empty()) read_array_order(order_path_, layers);
    TensorFile ordered = nn::weights_file(network);

    RunFolder folder(out_path_, name(), settings(), false);
    Json described = Json::array();
    for (const nn::CrossbarLayer& layer : layers) {
      const std::string file = fmt::format("conductance/{}.npz", layer.name);
      write_npz(folder.file(file), conductances(*layer.matrix));
      described.push_back(description_of(layer, file));
      for (const char* tensor : {".weight", ".bias"}) {
        const auto found = ordered.tensors.find(layer.name + tensor);
        if (found == ordered.tensors.end()) continue;
        reorder(found->second, layer.matrix->column_order());
      }
    }
    write_file_atomically(folder.file("order.json"), array_order_json(layers).dump(1) + "\n");
    write_safetensors(folder.file("weights.safetensors"), ordered);
    folder.results() = {{"model", network_.model},
                        {"technology", to_json(technologies.front())},
                        {"order", "order.json"},
                        {"weights", "weights.safetensors"},
                        {"layers", std::move(described)}};
    folder.save(true);
    remark(
        "{} on arrays of {} x {}: {} layers\nwritten to {}: conductance/LAYER.npz, "
        "order.json, weights.safetensors, run.json\n",
        network_.model, technologies.front().tile_rows, technologies.front().tile_columns,
        layers.size(), folder.path().string());
    return 0;
  }

 private:
  static Json description_of(const nn::CrossbarLayer& layer, const std::string& file) {
    const mapping::CrossbarMatrix& matrix = *layer.matrix;
    Json planes = Json::array();
    for (Index plane = 0; plane < matrix.plane_count(); ++plane) {
      planes.push_back(cells_of(matrix.encoder(), plane));
    }
    return {{"name", layer.name},
            {"file", file},
            {"outputs", matrix.outputs()},
            {"inputs", matrix.inputs()},
            {"weight_range", matrix.weight_range()},
            {"tile_rows", matrix.tile_row_count()},
            {"tile_columns", matrix.tile_column_count()},
            {"planes", std::move(planes)}};
  }

  NetworkFlags network_;
  TechnologyFlags technology_;
  WeightScaleFlags scale_;
  std::string weights_path_;
  std::string order_path_;
  std::string out_path_;
};

}  // namespace

std::unique_ptr<Command> make_export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace xbar::cli
