#pragma once

#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// @throws InvalidArgument, starting with `name`, unless the network takes these images and has an
///         output for every label.
void check_images(const Network& network, const ImageSet& images, const char* name);

}  // namespace xbar::nn
