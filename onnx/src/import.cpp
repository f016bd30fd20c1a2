#include <limits>
#include <list>
#include <set>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/onnx/import.hpp>

#include "operators.hpp"

namespace xbar::onnx {
namespace {

constexpr Index oldest_set = 7;
constexpr Index newest_set = 23;

wire::Model parse(std::string_view bytes, const std::string& file) {
  constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (bytes.size() > largest) {
    throw IoError(fmt::format("{}: expected an ONNX file of less than 2 GiB, found {} bytes", file,
                              bytes.size()));
  }
  wire::Model model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw IoError(
        fmt::format("{}: expected an ONNX file, found {} bytes that are none, or not all of one",
                    file, bytes.size()));
  }
  if (!model.has_graph() || model.graph().node().empty()) {
    throw IoError(fmt::format("{}: expected an ONNX file with a network, found none in it", file));
  }
  return model;
}

void check_operator_set(const wire::Model& model, const std::string& file) {
  for (const wire::OperatorSet& one : model.opset_import()) {
    if (!one.domain().empty() && one.domain() != "ai.onnx") continue;
    if (one.version() >= oldest_set && one.version() <= newest_set) return;
    throw InvalidArgument(fmt::format("{}: expected operator set {} to {}, found {}", file,
                                      oldest_set, newest_set, one.version()));
  }
  throw InvalidArgument(
      fmt::format("{}: expected operator set {} to {}, found none", file, oldest_set, newest_set));
}

std::string names_of(const std::vector<const wire::Value*>& values) {
  std::string text;
  for (const wire::Value* value : values) {
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", shown(value->name()));
  }
  return text.empty() ? "none" : text;
}

const wire::Value& only(const std::vector<const wire::Value*>& values, const char* what,
                        const std::string& file) {
  if (values.size() == 1) return *values.front();
  throw InvalidArgument(fmt::format("{}: expected one {}, found {}", file, what, names_of(values)));
}

// The images as the file wants them: as they are, or as vectors. Lengths that the file leaves open
// are those of the data.
Data input_of(Import& import, const wire::Value& value, const nn::Shape& images) {
  const wire::TensorType& type = value.type().tensor_type();
  const std::string who = fmt::format("{}: input '{}'", import.file, shown(value.name()));
  constexpr int float32 = 1;
  if (type.elem_type() != float32) {
    throw InvalidArgument(fmt::format("{}: expected values of type float32 (1), found type {}", who,
                                      type.elem_type()));
  }
  const auto& dims = type.shape().dim();
  const auto fits = [&](const nn::Shape& item) {
    bool same = dims.size() == item.rank() + 1;
    for (int axis = 0; same && axis < item.rank(); ++axis) {
      const wire::Dimension& length = dims[axis + 1];
      same = !length.has_dim_value() || length.dim_value() == item[axis];
    }
    return same;
  };
  if (!dims.empty() && dims[0].has_dim_value()) import.batch = dims[0].dim_value();
  const Data data{0, images.batch(1)};
  if (fits(images)) return data;
  if (fits({images.volume()})) {
    return import.graph.add(std::make_unique<nn::Flatten>(import.names.claim("flatten")), data);
  }
  std::vector<Index> found;
  for (const wire::Dimension& length : dims) {
    found.push_back(length.has_dim_value() ? length.dim_value() : batch_length);
  }
  throw InvalidArgument(fmt::format("{}: expected (N, ...) for images of shape {}, found {}", who,
                                    to_string(images), to_text(found)));
}

// The nodes that the output needs, in the file's order.
std::set<const wire::Node*> needed_nodes(const wire::Graph& graph, const std::string& output) {
  std::set<std::string> wanted{output};
  std::set<const wire::Node*> needed;
  for (int k = graph.node_size() - 1; k >= 0; --k) {
    const wire::Node& node = graph.node(k);
    bool is_needed = false;
    for (const std::string& name : node.output()) is_needed = is_needed || wanted.contains(name);
    if (!is_needed) continue;
    needed.insert(&node);
    wanted.insert(node.input().begin(), node.input().end());
  }
  return needed;
}

void read_nodes(Import& import, const wire::Graph& graph) {
  const std::set<const wire::Node*> needed = needed_nodes(graph, import.output);
  std::list<Node> nodes;  // where they are is what `users` keeps
  for (int k = 0; k < graph.node_size(); ++k) {
    const wire::Node& wire_node = graph.node(k);
    if (!needed.contains(&wire_node)) continue;
    const Node& node = nodes.emplace_back(import.file, wire_node, k);
    for (const std::string& name : wire_node.input()) {
      if (!name.empty()) import.users[name].push_back(&node);
    }
  }
  for (const Node& node : nodes) read_node(import, node);
}

}  // namespace

nn::Network import_network(std::string_view bytes, const std::string& file,
                           const nn::Shape& input_shape, Index num_classes,
                           const nn::ModelLimits& limits) {
  const wire::Model model = parse(bytes, file);
  check_operator_set(model, file);
  const wire::Graph& graph = model.graph();
  if (!graph.sparse_initializer().empty()) {
    throw InvalidArgument(fmt::format("{}: expected dense constants, found {} sparse ones", file,
                                      graph.sparse_initializer_size()));
  }
  Import import{.file = file, .limits = limits};
  for (const wire::Tensor& tensor : graph.initializer()) import.values[tensor.name()] = &tensor;
  std::vector<const wire::Value*> inputs;  // old files list the constants too
  for (const wire::Value& value : graph.input()) {
    if (!import.values.contains(value.name())) inputs.push_back(&value);
  }
  std::vector<const wire::Value*> outputs;
  for (const wire::Value& value : graph.output()) outputs.push_back(&value);
  const wire::Value& input = only(inputs, "input", file);
  import.output = only(outputs, "output", file).name();
  import.values[input.name()] = input_of(import, input, input_shape);

  read_nodes(import, graph);
  const auto found = import.values.find(import.output);
  const Data* output = found == import.values.end() ? nullptr : std::get_if<Data>(&found->second);
  if (output == nullptr) {
    throw InvalidArgument(fmt::format(
        "{}: expected output '{}' to be made from the input, found {}", file, shown(import.output),
        found == import.values.end() ? "no node that makes it" : "a constant"));
  }
  if (output->shape.item() != nn::Shape{num_classes}) {
    throw InvalidArgument(fmt::format(
        "{}: output '{}': expected a shape of {}, a value for each class of the data, found {}",
        file, shown(import.output), to_string(nn::Shape{num_classes}),
        to_string(output->shape.item())));
  }
  const std::string name = dotted(graph.name());
  try {
    nn::Network network =
        import.graph.build(name.empty() ? "onnx" : name, input_shape, *output, import.names);
    // What only the shape of was asked for is not in the network.
    std::set<std::string> tensors;
    for (const nn::Parameter* parameter : network.parameters()) tensors.insert(parameter->name);
    for (const nn::Buffer* buffer : network.buffers()) tensors.insert(buffer->name);
    std::erase_if(import.weights.tensors,
                  [&](const auto& tensor) { return !tensors.contains(tensor.first); });
    network.load_state(import.weights);
    return network;
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(fmt::format("{}: {}", file, error.what()));
  }
}

}  // namespace xbar::onnx
