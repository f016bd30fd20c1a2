#pragma once

/// The networks that can be named.
///
///   mlp     fc1 -> 256, ReLU, fc2 -> 128, ReLU, fc3 -> classes; any image size
///   lenet5  28 x 28 images: conv1 6 x 5x5 (padding 2), ReLU, max pool 2, conv2 16 x 5x5, ReLU,
///           max pool 2, fc1 -> 120, ReLU, fc2 -> 84, ReLU, fc3 -> classes [LeCun1998], with ReLU
///           and maximum in place of the sigmoids and averages of the original
///   alexnet the five convolutions and three fully connected layers of [Krizhevsky2012] for 32 x 32
///           images: 3x3, 64 (stride 2), 192, 384, 256, 256, max pool 2 after the first, second and
///           last, fc 1024 -> 4096 -> 4096 -> classes behind dropout 0.5 twice
///   vgg8    32 x 32 images: 3x3, 128, 128, 256, 256, 512, 512, max pool 2 after each pair, fc
///           8192 -> 1024 -> classes; the VGG8 of DNN+NeuroSim [Peng2021]
///   vgg8s   the same at a quarter of the widths, with batch norm: 32, 32, 64, 64, 128, 128, fc
///           2048 -> 256 -> classes
///   vgg16   32 x 32 images: the 13 convolutions of [Simonyan2015] with batch norm, fc 512 ->
///           classes
///   resnet18  [He2016] with a first convolution of 3x3 and stride 1, for small images; 64, 128,
///   256,
///           512 channels, two blocks each, shortcuts of 1x1 convolutions
///   resnet20, resnet56  [He2016] for CIFAR: 16, 32, 64 channels, three or nine blocks each,
///           shortcuts without parameters; any image size
///
/// Tensors have PyTorch's names: conv3.weight, bn3.running_mean, layer2.0.conv1.weight.
///
/// A new model is a TOML file (model_file.hpp), or a file in nn/src/models and one line in its
/// registry (docs/recipes/network-model.md).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// What a model is made from, as it was when it was read: later changes of the file do not count.
struct ModelSource {
  std::string name;                 ///< of the list above, or the file's path
  std::optional<std::string> toml;  ///< the file's contents
};

/// What `model` stands for: a file if it ends in ".toml" (model_file.hpp), else one of the names
/// above, which is not looked up yet.
/// @throws IoError if the file cannot be read.
[[nodiscard]] ModelSource model_source(std::string_view model);

/// A model, initialised (initialise below).
/// @param input_shape  of one image: (channels, height, width)
/// @throws InvalidArgument for an unknown name (suggests the nearest), for an image shape that the
///         model does not take, or unless num_classes >= 1; for a file also as parse_model.
[[nodiscard]] Network make_model(const ModelSource& model, const Shape& input_shape,
                                 Index num_classes, std::uint64_t seed);

/// make_model(model_source(model), ...)
[[nodiscard]] Network make_model(std::string_view model, const Shape& input_shape,
                                 Index num_classes, std::uint64_t seed);

/// The names that make_model knows, in the order of the registry.
[[nodiscard]] std::vector<std::string> model_names();

/// Layer::initialise of every layer: Kaiming's uniform weights [He2015] and zero biases, batch
/// norms as the identity, dropouts at the beginning of their masks.
void initialise(Network& network, std::uint64_t seed);

}  // namespace xbar::nn
