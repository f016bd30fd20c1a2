#include <limits>

#include <fmt/format.h>

#include <xbar/nn/layers/clip.hpp>
#include <xbar/nn/layers/dropout.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "../operators.hpp"

namespace xbar::onnx {

void read_relu(Operation& operation) {
  operation.node().check_inputs(1, 1);
  operation.node().check_attributes({});
  operation.set(operation.layer<nn::Relu>(operation.data(0), operation.plain_name()));
}

// Bounds as attributes (up to operator set 10) or as inputs.
void read_clip(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 3);
  node.check_attributes({"min", "max"});
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float low = node.has_input(1) ? operation.real(1) : node.real("min", -infinity);
  const float high = node.has_input(2) ? operation.real(2) : node.real("max", infinity);
  operation.set(operation.layer<nn::Clip>(operation.data(0), operation.plain_name(), low, high));
}

void read_add(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(2, 2);
  node.check_attributes({});
  if (!operation.is_data(0) && !operation.is_data(1)) {
    read_shape_arithmetic(operation);
    return;
  }
  if (!operation.is_data(0) || !operation.is_data(1)) {
    node.refuse(
        "expected two values that images become, or the bias of the Conv, Gemm or MatMul right "
        "before it, found another constant");
  }
  operation.set(operation.join<nn::Sum>({operation.data(0), operation.data(1)}));
}

void read_identity(Operation& operation) {
  operation.node().check_inputs(1, 1);
  operation.node().check_attributes({});
  operation.set(operation.input(0));
}

void read_cast(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes({"to", "saturate"});
  constexpr Index float32 = 1;
  constexpr Index int64 = 7;
  const bool is_data = operation.is_data(0);
  node.require("to", 0, is_data ? float32 : int64);
  operation.set(is_data ? Value(operation.data(0)) : Value(operation.wholes(0)));
}

// The identity in evaluation; trained on with, it drops.
void read_dropout(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 3);
  node.check_attributes({"ratio", "seed"});
  const float ratio = node.has_input(1) ? operation.real(1) : node.real("ratio", 0.5F);
  operation.set(operation.layer<nn::Dropout>(operation.data(0), operation.plain_name(),
                                             static_cast<double>(ratio)));
}

// At the end of a network: the loss function has one of its own, and the largest stays the largest.
void read_softmax(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(1, 1);
  node.check_attributes({"axis"});
  const Data values = operation.data(0);
  const Index axis = node.whole("axis", -1);
  if (node.wire().output(0) != operation.import().output || values.shape.rank() != 2 ||
      (axis != 1 && axis != -1)) {
    node.refuse(
        fmt::format("expected at the network's end over the classes (axis 1) only, found over axis "
                    "{} of {}",
                    axis, to_string(values.shape.item())));
  }
  operation.set(values);
}

}  // namespace xbar::onnx
