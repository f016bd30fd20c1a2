#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_lenet5(const Shape& input_shape, Index num_classes) {
  check_square_images("lenet5", input_shape, 28);
  Network network("lenet5", input_shape);
  network.emplace<Conv2d>("conv1", Conv2dOptions{.in_channels = input_shape[0],
                                                 .out_channels = 6,
                                                 .kernel_height = 5,
                                                 .kernel_width = 5,
                                                 .padding = 2});
  network.emplace<Relu>("relu1");
  network.emplace<MaxPool2d>("pool1", 2);
  network.emplace<Conv2d>(
      "conv2",
      Conv2dOptions{.in_channels = 6, .out_channels = 16, .kernel_height = 5, .kernel_width = 5});
  network.emplace<Relu>("relu2");
  network.emplace<MaxPool2d>("pool2", 2);
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", 400, 120);
  network.emplace<Relu>("relu3");
  network.emplace<Linear>("fc2", 120, 84);
  network.emplace<Relu>("relu4");
  network.emplace<Linear>("fc3", 84, num_classes);
  return network;
}

}  // namespace xbar::nn
