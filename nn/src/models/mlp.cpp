#include <xbar/nn/layers/flatten.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "registry.hpp"

namespace xbar::nn {

Network build_mlp(const Shape& input_shape, Index num_classes) {
  Network network("mlp", input_shape);
  network.emplace<Flatten>("flatten");
  network.emplace<Linear>("fc1", input_shape.volume(), 256);
  network.emplace<Relu>("relu1");
  network.emplace<Linear>("fc2", 256, 128);
  network.emplace<Relu>("relu2");
  network.emplace<Linear>("fc3", 128, num_classes);
  return network;
}

}  // namespace xbar::nn
