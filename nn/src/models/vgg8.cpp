#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/layers/relu.hpp>

#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

// The list 'vgg8' of Inference_pytorch/models/VGG.py in DNN_NeuroSim V1.3, with biases.
Network build_vgg8(const Shape& input_shape, Index num_classes) {
  check_square_images("vgg8", input_shape, 32);
  Network network("vgg8", input_shape);
  add_vgg_stages(network, {{128, 128}, {256, 256}, {512, 512}}, Norm::none);
  network.emplace<Linear>("fc1", 8192, 1024);
  network.emplace<Relu>("relu7");
  network.emplace<Linear>("fc2", 1024, num_classes);
  return network;
}

}  // namespace xbar::nn
