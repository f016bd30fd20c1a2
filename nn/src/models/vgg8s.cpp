#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_vgg8s(const Shape& input_shape, Index num_classes) {
  check_square_images("vgg8s", input_shape, 32);
  Network network("vgg8s", input_shape);
  add_vgg_stages(network, {{32, 32}, {64, 64}, {128, 128}}, Norm::batch);
  network.emplace<Linear>("fc1", 2048, 256);
  network.emplace<Relu>("relu7");
  network.emplace<Linear>("fc2", 256, num_classes);
  return network;
}

}  // namespace xbar::nn
