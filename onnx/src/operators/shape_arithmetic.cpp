#include <fmt/format.h>

#include "../constant_folding.hpp"
#include "../operators.hpp"

namespace xbar::onnx {
namespace {

Wholes shape_of(const Operation& operation) {
  std::vector<Index> lengths;
  if (operation.is_data(0)) {
    const nn::Shape& shape = operation.data(0).shape;
    lengths.push_back(batch_length);
    for (int axis = 1; axis < shape.rank(); ++axis) lengths.push_back(shape[axis]);
  } else {
    lengths = operation.wholes(0).dims;
  }
  return {{static_cast<Index>(lengths.size())}, lengths};
}

Wholes constant_of_shape(const Operation& operation) {
  const Node& node = operation.node();
  node.check_attributes({"value"});
  const wire::Tensor* value = node.tensor("value");
  Index fill = 0;
  if (value != nullptr) {
    const Wholes given = wholes_of(node, "attribute value", *value);
    if (given.values.size() != 1) {
      node.refuse(fmt::format("attribute value: expected one number, found a shape of {}",
                              to_text(given.dims)));
    }
    fill = given.values.front();
  }
  return filled(node, operation.wholes(0), fill);
}

}  // namespace

void read_shape_arithmetic(Operation& operation) {
  const Node& node = operation.node();
  const std::string& op = node.op();
  const int inputs = op == "Shape" || op == "ConstantOfShape" ? 1 : 2;
  node.check_inputs(inputs, inputs);
  if (op == "ConstantOfShape") {
    operation.set(constant_of_shape(operation));
    return;
  }
  node.check_attributes(op == "Gather" ? std::vector<std::string_view>{"axis"}
                                       : std::vector<std::string_view>{});
  if (op == "Shape") {
    operation.set(shape_of(operation));
  } else if (op == "Gather") {
    node.require("axis", 0, 0);
    operation.set(gathered(node, operation.wholes(0), operation.wholes(1)));
  } else {
    operation.set(combined(node, operation.wholes(0), operation.wholes(1)));
  }
}

// Of a constant with two axes: weights too.
void read_transpose(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes({"perm"});
  const std::vector<Index> order = node.wholes("perm").value_or(std::vector<Index>{1, 0});
  if (order != std::vector<Index>{1, 0}) {
    node.refuse(fmt::format("attribute perm: expected (1, 0), found {}", to_text(order)));
  }
  if (operation.is_whole(0)) {
    operation.set(transposed(node, operation.wholes(0)));
    return;
  }
  const Reals matrix = operation.reals(0);
  if (matrix.dims.size() != 2) {
    node.refuse(fmt::format("expected a constant of two axes, found {}", to_text(matrix.dims)));
  }
  operation.set(transposed(matrix));
}

// A tensor, or one of the numbers and lists that attributes have.
void read_constant(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(0, 0);
  node.check_attributes({"value", "value_float", "value_floats", "value_int", "value_ints"});
  if (const wire::Tensor* tensor = node.tensor("value")) {
    operation.set(tensor);
  } else if (node.has("value_int")) {
    operation.set(Wholes{{}, {node.whole("value_int", 0)}});
  } else if (node.has("value_float")) {
    operation.set(Reals{{}, {node.real("value_float", 0)}});
  } else if (const auto wholes = node.wholes("value_ints")) {
    operation.set(Wholes{{static_cast<Index>(wholes->size())}, *wholes});
  } else if (const auto reals = node.reals("value_floats")) {
    operation.set(Reals{{static_cast<Index>(reals->size())}, *reals});
  } else {
    node.refuse("expected an attribute value, found none");
  }
}

}  // namespace xbar::onnx
