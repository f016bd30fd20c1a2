#include <xbar/nn/layers/dropout.hpp>
#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/max_pool2d.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_alexnet(const Shape& input_shape, Index num_classes) {
  check_square_images("alexnet", input_shape, 32);
  Network network("alexnet", input_shape);
  network.emplace<Conv2d>("conv1", conv3x3(input_shape[0], 64, 2, true));
  network.emplace<Relu>("relu1");
  network.emplace<MaxPool2d>("pool1", 2);
  network.emplace<Conv2d>("conv2", conv3x3(64, 192, 1, true));
  network.emplace<Relu>("relu2");
  network.emplace<MaxPool2d>("pool2", 2);
  network.emplace<Conv2d>("conv3", conv3x3(192, 384, 1, true));
  network.emplace<Relu>("relu3");
  network.emplace<Conv2d>("conv4", conv3x3(384, 256, 1, true));
  network.emplace<Relu>("relu4");
  network.emplace<Conv2d>("conv5", conv3x3(256, 256, 1, true));
  network.emplace<Relu>("relu5");
  network.emplace<MaxPool2d>("pool3", 2);
  network.emplace<Flatten>("flatten");
  network.emplace<Dropout>("dropout1", 0.5);
  network.emplace<Linear>("fc1", 1024, 4096);
  network.emplace<Relu>("relu6");
  network.emplace<Dropout>("dropout2", 0.5);
  network.emplace<Linear>("fc2", 4096, 4096);
  network.emplace<Relu>("relu7");
  network.emplace<Linear>("fc3", 4096, num_classes);
  return network;
}

}  // namespace xbar::nn
