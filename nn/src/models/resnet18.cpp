#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_resnet18(const Shape& input_shape, Index num_classes) {
  check_any_images("resnet18", input_shape);
  Network network("resnet18", input_shape);
  add_resnet(network, {64, 128, 256, 512}, 2, ShortcutKind::convolution, "fc", num_classes);
  return network;
}

}  // namespace xbar::nn
