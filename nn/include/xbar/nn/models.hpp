#pragma once

/// The networks that can be named.
///
///   mlp     fc1 -> 256, ReLU, fc2 -> 128, ReLU, fc3 -> classes; any image size
///   lenet5  28 x 28 images: conv1 6 x 5x5 (padding 2), ReLU, max pool 2, conv2 16 x 5x5, ReLU,
///           max pool 2, fc1 -> 120, ReLU, fc2 -> 84, ReLU, fc3 -> classes [LeCun1998], with ReLU
///           and maximum in place of the sigmoids and averages of the original
///
/// A new model is one file in nn/src/models and one line in its registry.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// A model by name, initialised (initialise below).
/// @param input_shape  of one image: (channels, height, width)
/// @throws InvalidArgument for an unknown name (suggests the nearest), for an image shape that the
///         model does not take, or unless num_classes >= 1.
[[nodiscard]] Network make_model(std::string_view name, const Shape& input_shape, Index num_classes,
                                 std::uint64_t seed);

/// The names that make_model knows, in the order of the registry.
[[nodiscard]] std::vector<std::string> model_names();

/// Kaiming's initialisation for ReLU networks [He2015]: each weight uniform in
/// +-sqrt(6 / in_features), biases zero. The draws of a layer come from
/// RandomStream(seed, "init/" + layer name), index = row-major place in the matrix.
void initialise(Network& network, std::uint64_t seed);

}  // namespace xbar::nn
