#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_resnet20(const Shape& input_shape, Index num_classes) {
  check_any_images("resnet20", input_shape);
  Network network("resnet20", input_shape);
  add_resnet(network, {16, 32, 64}, 3, ShortcutKind::padded, "linear", num_classes);
  return network;
}

}  // namespace xbar::nn
