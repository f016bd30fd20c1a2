#include <fmt/format.h>

#include <xbar/nn/layers/conv2d.hpp>

#include "windows.hpp"

namespace xbar::onnx {

// Weights (out, in, height, width), as Conv2d. Uneven margins become a layer in front.
void read_convolution(Operation& operation) {
  const Node& node = operation.node();
  node.check_inputs(2, 3);
  node.check_attributes({"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"});
  node.require("group", 1, 1);
  Data images = operation.data(0);
  Reals weight = operation.reals(1);
  if (weight.dims.size() != 4 || images.shape.rank() != 4 || weight.dims[1] != images.shape[1]) {
    node.refuse(fmt::format(
        "expected images and weights of shapes (in, height, width) and (out, in, height, width), "
        "found {} and {}",
        to_string(images.shape.item()), to_text(weight.dims)));
  }
  const Windows windows = windows_of(operation, images.shape, {weight.dims[2], weight.dims[3]});
  const std::vector<float> bias =
      node.has_input(2) ? operation.reals(2).values : operation.bias_behind({weight.dims[0], 1, 1});
  const std::string name = operation.weighted_name(1);
  if (!windows.is_even()) {
    images = operation.layer<nn::Pad>(images, name + ".pad", windows.margins, 0.0F);
  }
  const Data result = operation.layer<nn::Conv2d>(
      images, name,
      nn::Conv2dOptions{.in_channels = weight.dims[1],
                        .out_channels = weight.dims[0],
                        .kernel_height = weight.dims[2],
                        .kernel_width = weight.dims[3],
                        .stride = windows.stride,
                        .padding = windows.is_even() ? windows.margins.before[1] : 0,
                        .with_bias = !bias.empty()});
  if (!bias.empty()) operation.keep(name + ".bias", {static_cast<Index>(bias.size())}, bias);
  operation.keep(name + ".weight", weight.dims, std::move(weight.values));
  operation.set(result);
}

}  // namespace xbar::onnx
