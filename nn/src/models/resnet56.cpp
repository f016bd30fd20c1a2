#include "blocks.hpp"
#include "registry.hpp"

namespace xbar::nn {

Network build_resnet56(const Shape& input_shape, Index num_classes) {
  check_any_images("resnet56", input_shape);
  Network network("resnet56", input_shape);
  add_resnet(network, {16, 32, 64}, 9, ShortcutKind::padded, "linear", num_classes);
  return network;
}

}  // namespace xbar::nn
