#pragma once

#include <xbar/nn/data/data_set.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// @throws InvalidArgument, starting with `name`, unless the network takes these images and has an
///         output for every label.
void check_images(const Network& network, const ImageSet& images, const char* name);

/// x: images `first` to `first + count - 1` in the shape that the network takes.
void fill_batch(const Network& network, const ImageSet& images, Index first, Index count,
                Tensor& x);

}  // namespace xbar::nn
