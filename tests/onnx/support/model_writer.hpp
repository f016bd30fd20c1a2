#pragma once

/// ONNX files written by hand.

#include <cstdint>
#include <string>
#include <vector>

#include <xbar/core/matrix.hpp>

#include "onnx_messages.pb.h"

namespace xbar_test {

using Lengths = std::vector<std::int64_t>;
namespace wire = xbar::onnx::wire;

/// A node, to give attributes to.
class NodeWriter {
 public:
  explicit NodeWriter(wire::Node& node) : node_(node) {}
  NodeWriter& whole(const char* name, std::int64_t value) {
    attribute(name, 2).set_i(value);
    return *this;
  }
  NodeWriter& real(const char* name, float value) {
    attribute(name, 1).set_f(value);
    return *this;
  }
  NodeWriter& text(const char* name, const std::string& value) {
    attribute(name, 3).set_s(value);
    return *this;
  }
  NodeWriter& wholes(const char* name, const Lengths& values) {
    wire::Attribute& added = attribute(name, 7);
    for (const std::int64_t value : values) added.add_ints(value);
    return *this;
  }
  NodeWriter& output(const std::string& name) {
    node_.add_output(name);
    return *this;
  }
  NodeWriter& domain(const std::string& name) {
    node_.set_domain(name);
    return *this;
  }

 private:
  wire::Attribute& attribute(const char* name, int type) {
    wire::Attribute& added = *node_.add_attribute();
    added.set_name(name);
    added.set_type(type);
    return added;
  }
  wire::Node& node_;
};

/// A model with input "x"; the latest node's output is the network's, "y" if it has that name.
class ModelWriter {
 public:
  /// @param lengths  of the input with the batch axis in front; -1: left open
  explicit ModelWriter(const Lengths& lengths, int operator_set = 13) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(operator_set);
    wire::Value& input = *model_.mutable_graph()->add_input();
    input.set_name("x");
    wire::TensorType& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(1);
    for (const std::int64_t length : lengths) {
      wire::Dimension& dim = *type.mutable_shape()->add_dim();
      if (length >= 0) dim.set_dim_value(length);
    }
  }

  /// A node "NAME" with output "NAME_out".
  NodeWriter node(const std::string& op, const std::vector<std::string>& inputs,
                  const std::string& name) {
    wire::Node& added = *model_.mutable_graph()->add_node();
    added.set_op_type(op);
    added.set_name(name);
    for (const std::string& input : inputs) added.add_input(input);
    added.add_output(name + "_out");
    last_ = added.output(0);
    return NodeWriter(added);
  }

  wire::Tensor& reals(const std::string& name, const Lengths& dims,
                      const std::vector<float>& values) {
    wire::Tensor& added = tensor(name, dims, 1);
    for (const float value : values) added.add_float_data(value);
    return added;
  }

  wire::Tensor& wholes(const std::string& name, const Lengths& values) {
    wire::Tensor& added = tensor(name, {static_cast<std::int64_t>(values.size())}, 7);
    for (const std::int64_t value : values) added.add_int64_data(value);
    return added;
  }

  wire::Model& model() { return model_; }

  /// The file, with the latest node's output as that of the network.
  [[nodiscard]] std::string bytes() const {
    wire::Model whole = model_;
    if (whole.graph().output().empty()) whole.mutable_graph()->add_output()->set_name(last_);
    return whole.SerializeAsString();
  }

 private:
  wire::Tensor& tensor(const std::string& name, const Lengths& dims, int type) {
    wire::Tensor& added = *model_.mutable_graph()->add_initializer();
    added.set_name(name);
    added.set_data_type(type);
    for (const std::int64_t length : dims) added.add_dims(length);
    return added;
  }

  wire::Model model_;
  std::string last_;
};

/// count values 1/8, 2/8, ..., each second one negative.
inline std::vector<float> steps(xbar::Index count) {
  std::vector<float> values;
  for (xbar::Index k = 1; k <= count; ++k) {
    values.push_back(static_cast<float>(k) * (k % 2 == 0 ? -0.125F : 0.125F));
  }
  return values;
}

}  // namespace xbar_test
