#include "operators.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>

namespace xbar::onnx {
namespace {

struct Operator {
  const char* name;
  void (*read)(Operation&);
};

constexpr std::array operators{
    Operator{"Conv", read_convolution},
    Operator{"Gemm", read_gemm},
    Operator{"MatMul", read_matmul},
    Operator{"BatchNormalization", read_batch_normalisation},
    Operator{"MaxPool", read_max_pool},
    Operator{"AveragePool", read_average_pool},
    Operator{"GlobalMaxPool", read_global_max_pool},
    Operator{"GlobalAveragePool", read_global_average_pool},
    Operator{"ReduceMean", read_reduce_mean},
    Operator{"Relu", read_relu},
    Operator{"Clip", read_clip},
    Operator{"Add", read_add},
    Operator{"Identity", read_identity},
    Operator{"Cast", read_cast},
    Operator{"Dropout", read_dropout},
    Operator{"Softmax", read_softmax},
    Operator{"LogSoftmax", read_softmax},
    Operator{"Constant", read_constant},
    Operator{"Concat", read_concat},
    Operator{"Flatten", read_flatten},
    Operator{"Reshape", read_reshape},
    Operator{"Squeeze", read_squeeze},
    Operator{"Unsqueeze", read_unsqueeze},
    Operator{"Slice", read_slice},
    Operator{"Pad", read_pad},
    Operator{"Shape", read_shape_arithmetic},
    Operator{"Gather", read_shape_arithmetic},
    Operator{"ConstantOfShape", read_shape_arithmetic},
    Operator{"Transpose", read_transpose},
    Operator{"Mul", read_shape_arithmetic},
    Operator{"Sub", read_shape_arithmetic},
    Operator{"Div", read_shape_arithmetic},
};

}  // namespace

void read_node(Import& import, const Node& node) {
  if (const std::string& domain = node.wire().domain(); !domain.empty() && domain != "ai.onnx") {
    node.refuse(fmt::format("expected an operator of ONNX itself, found one of the domain {}",
                            shown(domain)));
  }
  const auto known = std::find_if(operators.begin(), operators.end(),
                                  [&](const Operator& one) { return node.op() == one.name; });
  if (known == operators.end()) {
    std::vector<std::string> names;
    for (const Operator& one : operators) names.emplace_back(one.name);
    node.refuse(fmt::format("expected an operator that xbar reads ({}), found {}{}",
                            fmt::join(names, ", "), shown(node.op()),
                            did_you_mean(shown(node.op()), names)));
  }
  if (node.wire().output_size() < 1) node.refuse("expected an output, found none");
  if (import.done.contains(&node.wire())) return;
  Operation operation(import, node);
  known->read(operation);
}

const Value& Operation::input(int k) const {
  if (!node_.has_input(k)) node_.refuse(fmt::format("expected an input {}, found none", k));
  const auto found = import_.values.find(node_.wire().input(k));
  if (found == import_.values.end()) {
    node_.refuse(
        fmt::format("expected {} to be made by a node before this one, found none", input_text(k)));
  }
  return found->second;
}

std::string Operation::input_text(int k) const {
  return fmt::format("input '{}'", shown(node_.wire().input(k)));
}

bool Operation::is_data(int k) const { return std::holds_alternative<Data>(input(k)); }

bool Operation::is_whole(int k) const {
  const Value& value = input(k);
  const auto* tensor = std::get_if<const wire::Tensor*>(&value);
  return tensor != nullptr ? has_wholes(**tensor) : std::holds_alternative<Wholes>(value);
}

Data Operation::data(int k) const {
  if (const auto* found = std::get_if<Data>(&input(k))) return *found;
  node_.refuse(
      fmt::format("{}: expected what images become, found a constant of the file", input_text(k)));
}

Reals Operation::reals(int k) const {
  const Value& value = input(k);
  if (const auto* found = std::get_if<Reals>(&value)) return *found;
  if (const auto* found = std::get_if<const wire::Tensor*>(&value)) {
    return reals_of(node_, input_text(k), **found);
  }
  node_.refuse(fmt::format("{}: expected a constant of real numbers, found {}", input_text(k),
                           is_data(k) ? "what images become" : "whole numbers"));
}

Wholes Operation::wholes(int k) const {
  const Value& value = input(k);
  if (const auto* found = std::get_if<Wholes>(&value)) return *found;
  if (const auto* found = std::get_if<const wire::Tensor*>(&value)) {
    return wholes_of(node_, input_text(k), **found);
  }
  node_.refuse(fmt::format("{}: expected a constant of whole numbers, found {}", input_text(k),
                           is_data(k) ? "what images become" : "real numbers"));
}

float Operation::real(int k) const {
  const Reals found = reals(k);
  if (found.values.size() == 1) return found.values.front();
  node_.refuse(fmt::format("{}: expected one number, found a shape of {}", input_text(k),
                           to_text(found.dims)));
}

std::string Operation::plain_name() const {
  const std::string name = dotted(node_.name());
  return import_.names.claim(name.empty() ? fmt::format("{}{}", node_.op(), node_.number()) : name);
}

std::string Operation::weighted_name(int weight) const {
  constexpr std::string_view suffix = ".weight";
  const std::string& tensor = node_.wire().input(weight);
  // PyTorch's own names; "onnx::Conv_266" is a tensor that its exporter has changed.
  if (tensor.ends_with(suffix)) {
    const std::string own = dotted(tensor.substr(0, tensor.size() - suffix.size()));
    if (!own.empty()) return import_.names.claim(own);
  }
  // The layer is the folder: "/layer1/layer1.0/conv1/Conv".
  const std::string name = dotted(node_.name());
  const std::string last = "." + node_.op();
  const bool in_folder = node_.name().starts_with('/') && name.ends_with(last);
  if (!in_folder) return plain_name();
  return import_.names.claim(name.substr(0, name.size() - last.size()));
}

void Operation::keep(const std::string& name, const std::vector<Index>& dims,
                     std::vector<float> values) {
  import_.weight_count += static_cast<Index>(values.size());
  if (import_.weight_count > import_.limits.weights) {
    node_.refuse(fmt::format("expected at most {} weights in the network, found more",
                             import_.limits.weights));
  }
  import_.weights.tensors[name] = {{dims.begin(), dims.end()}, std::move(values)};
}

std::vector<float> Operation::bias_behind(const std::vector<Index>& dims) {
  const std::string& output = node_.wire().output(0);
  const auto users = import_.users.find(output);
  if (output == import_.output || users == import_.users.end() || users->second.size() != 1) {
    return {};
  }
  const Node& add = *users->second.front();
  if (add.op() != "Add" || add.wire().input_size() != 2 || add.wire().output_size() != 1) return {};
  const int other = add.wire().input(0) == output ? 1 : 0;
  const auto constant = import_.values.find(add.wire().input(other));
  if (constant == import_.values.end() || std::holds_alternative<Data>(constant->second)) return {};
  Reals bias = Operation(import_, add).reals(other);
  std::vector<Index> found = bias.dims;
  while (found.size() > dims.size() && found.front() == 1) found.erase(found.begin());
  if (found != dims) {
    add.refuse(fmt::format("expected a bias of shape {} behind {}, found {}", to_text(dims),
                           node_.op(), to_text(bias.dims)));
  }
  import_.done.insert(&add.wire());
  outputs_.push_back(add.wire().output(0));
  return std::move(bias.values);
}

void Operation::set(const Value& value) {
  for (const std::string& output : outputs_) {
    if (import_.values.emplace(output, value).second) continue;
    node_.refuse(fmt::format("expected an output of a name of its own, found '{}' a second time",
                             shown(output)));
  }
}

}  // namespace xbar::onnx
