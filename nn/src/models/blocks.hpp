#pragma once

/// What several models are built from.

#include <string>
#include <string_view>
#include <vector>

#include <xbar/nn/layers/conv2d.hpp>
#include <xbar/nn/network.hpp>

namespace xbar::nn {

/// What holds for every model.
/// @throws InvalidArgument naming the model unless an image has one to three axes and at least one
///         value, and num_classes >= 1.
void check_model_input(std::string_view model, const Shape& input_shape, Index num_classes);

/// @throws InvalidArgument naming the model unless the images are (channels, side, side).
void check_square_images(std::string_view model, const Shape& input_shape, Index side);

/// @throws InvalidArgument naming the model unless the images are (channels, height, width).
void check_any_images(std::string_view model, const Shape& input_shape);

/// A convolution of 3 x 3 with padding 1.
[[nodiscard]] Conv2dOptions conv3x3(Index in_channels, Index out_channels, Index stride,
                                    bool with_bias);

enum class Norm {
  none,   ///< convolutions with a bias
  batch,  ///< batch normalisation in place of the bias
};

/// Appends stages of 3 x 3 convolutions of the given widths, "conv1", ("bn1",) "relu1", "conv2",
/// ..., with a maximum over 2 x 2 pixels, "pool1", ..., behind each stage, and "flatten".
void add_vgg_stages(Network& network, const std::vector<std::vector<Index>>& stages, Norm norm);

/// How a residual block gets to another number of channels or a smaller image [He2016].
enum class ShortcutKind {
  padded,       ///< option A: every second pixel, channels of zeros; no parameters
  convolution,  ///< option B: a convolution of 1 x 1 and batch normalisation
};

/// Appends "conv1", "bn1", "relu1" with widths[0] channels, then "layer1.0", "layer1.1", ...:
/// stages of `blocks` basic blocks (3 x 3, batch norm, ReLU, 3 x 3, batch norm, sum, ReLU), each
/// stage but the first with stride 2 in its first block; then the mean over the image and a
/// linear layer of the given name.
void add_resnet(Network& network, const std::vector<Index>& widths, Index blocks, ShortcutKind kind,
                const std::string& linear_name, Index num_classes);

}  // namespace xbar::nn
