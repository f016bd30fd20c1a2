#pragma once

/// The builders behind make_model. Weights are zero until initialise.

#include <xbar/nn/network.hpp>

namespace xbar::nn {

Network build_mlp(const Shape& input_shape, Index num_classes);
Network build_lenet5(const Shape& input_shape, Index num_classes);
Network build_alexnet(const Shape& input_shape, Index num_classes);
Network build_vgg8(const Shape& input_shape, Index num_classes);
Network build_vgg8s(const Shape& input_shape, Index num_classes);
Network build_vgg16(const Shape& input_shape, Index num_classes);
Network build_resnet18(const Shape& input_shape, Index num_classes);
Network build_resnet20(const Shape& input_shape, Index num_classes);
Network build_resnet56(const Shape& input_shape, Index num_classes);

}  // namespace xbar::nn
