#include <array>

#include <fmt/format.h>

#include <xbar/nn/layers/batch_norm.hpp>

#include "../operators.hpp"

namespace xbar::onnx {

// Inputs: x, gamma, beta, mean, variance. ONNX's momentum is the share of the former statistics.
void read_batch_normalisation(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(5, 5);
  node.check_attributes({"epsilon", "momentum", "training_mode", "spatial"});
  node.require("training_mode", 0, 0);
  node.require("spatial", 1, 1);
  const Data images = operation.data(0);
  const Index channels = images.shape.rank() >= 2 ? images.shape[1] : 0;
  const std::string name = operation.weighted_name(1);
  constexpr std::array tensors{".weight", ".bias", ".running_mean", ".running_var"};
  for (int k = 0; k < 4; ++k) {
    Reals values = operation.reals(k + 1);
    if (values.dims != std::vector<Index>{channels}) {
      node.refuse(fmt::format("input '{}': expected a shape of ({},), found {}",
                              shown(node.wire().input(k + 1)), channels, to_text(values.dims)));
    }
    operation.keep(name + tensors[static_cast<std::size_t>(k)], values.dims,
                   std::move(values.values));
  }
  const nn::BatchNormOptions options{
      .epsilon = static_cast<double>(node.real("epsilon", 1e-5F)),
      .momentum = static_cast<double>(1 - node.real("momentum", 0.9F))};
  operation.set(operation.layer<nn::BatchNorm>(images, name, channels, options));
}

}  // namespace xbar::onnx
