#include <xbar/nn/layers/linear.hpp>

#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_vgg16(const Shape& input_shape, Index num_classes) {
  check_square_images("vgg16", input_shape, 32);
  Network network("vgg16", input_shape);
  add_vgg_stages(network, {{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}},
                 Norm::batch);
  network.emplace<Linear>("fc", 512, num_classes);
  return network;
}

}  // namespace xbar::nn
