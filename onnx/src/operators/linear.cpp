#include <utility>

#include <fmt/format.h>

#include <xbar/nn/layers/linear.hpp>

#include "../operators.hpp"

namespace xbar::onnx {
namespace {

void scale(std::vector<float>& values, float factor) {
  if (factor == 1) return;
  for (float& value : values) value *= factor;
}

// y = x W^T + b with W out x in.
void add_linear(Operation& operation, Reals weight, const std::vector<float>& bias) {
  const std::string name = operation.weighted_name(1);
  const Data result = operation.layer<nn::Linear>(operation.data(0), name, weight.dims[1],
                                                  weight.dims[0], !bias.empty());
  if (!bias.empty()) operation.keep(name + ".bias", {static_cast<Index>(bias.size())}, bias);
  operation.keep(name + ".weight", weight.dims, std::move(weight.values));
  operation.set(result);
}

Reals matrix(const Operation& operation, bool is_transposed) {
  Reals weight = operation.reals(1);
  const nn::Shape item = operation.data(0).shape.item();
  const Index in = weight.dims.size() == 2 ? weight.dims[is_transposed ? 1 : 0] : -1;
  if (item.rank() != 1 || in != item[0]) {
    operation.node().refuse(fmt::format(
        "expected vectors of shape (in,) and weights of shape {}, found {} and {}",
        is_transposed ? "(out, in)" : "(in, out)", to_string(item), to_text(weight.dims)));
  }
  return is_transposed ? weight : transposed(weight);
}

}  // namespace

// Y = alpha A B' + beta C: A the images' values, B and C constants.
void read_gemm(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(2, 3);
  node.check_attributes({"alpha", "beta", "transA", "transB", "broadcast"});
  node.require("transA", 0, 0);
  Reals weight = matrix(operation, node.whole("transB", 0) != 0);
  scale(weight.values, node.real("alpha", 1));
  std::vector<float> bias;
  if (node.has_input(2)) {
    Reals found = operation.reals(2);
    const auto outputs = static_cast<std::size_t>(weight.dims[0]);
    if (found.values.size() == 1) found.values.resize(outputs, found.values.front());
    if (found.values.size() != outputs || (!found.dims.empty() && found.dims.size() > 2)) {
      node.refuse(fmt::format("expected a bias of {} values, found a shape of {}", outputs,
                              to_text(found.dims)));
    }
    bias = std::move(found.values);
    scale(bias, node.real("beta", 1));
  } else {
    bias = operation.bias_behind({weight.dims[0]});
  }
  add_linear(operation, std::move(weight), bias);
}

void read_matmul(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(2, 2);
  node.check_attributes({});
  Reals weight = matrix(operation, false);
  const std::vector<float> bias = operation.bias_behind({weight.dims[0]});
  add_linear(operation, std::move(weight), bias);
}

}  // namespace xbar::onnx
